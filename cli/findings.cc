#include "cli/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

std::string_view name_of(FindingState state) {
  switch (state) {
    case FindingState::kGood:
      return "good";
    case FindingState::kNote:
      return "note";
    case FindingState::kWrong:
      return "wrong";
  }
  ROTA_CHECK(false);
}

}  // namespace

Finding good(std::string about, std::string text) {
  return {.about = std::move(about),
          .state = FindingState::kGood,
          .text = std::move(text),
          .remedy = {}};
}

Finding note(std::string about, std::string text, std::string remedy) {
  return {.about = std::move(about),
          .state = FindingState::kNote,
          .text = std::move(text),
          .remedy = std::move(remedy)};
}

Finding wrong(std::string about, std::string text, std::string remedy) {
  return {.about = std::move(about),
          .state = FindingState::kWrong,
          .text = std::move(text),
          .remedy = std::move(remedy)};
}

bool all_well(const Findings& findings) {
  return std::ranges::none_of(
      findings, [](const Finding& each) { return each.state == FindingState::kWrong; });
}

std::string describe_findings(const Findings& findings) {
  std::string text;
  const auto add = [&text](const Finding& each) {
    std::string line = fmt::format("{:<5}  {:<11} {}", name_of(each.state), each.about, each.text);
    if (!each.remedy.empty()) line += fmt::format(" -> {}", each.remedy);
    text += visible(line) + "\n";
  };
  for (const bool first : {true, false}) {
    for (const Finding& each : findings) {
      if ((each.state == FindingState::kWrong) == first) add(each);
    }
  }
  return text;
}

std::string findings_json(const Findings& findings) {
  json::array list;
  for (const Finding& each : findings) {
    list.push_back({{"about", each.about},
                    {"state", std::string(name_of(each.state))},
                    {"text", each.text},
                    {"do", each.remedy}});
  }
  return visible_json(json::serialize(
             json::object{{"ok", all_well(findings)}, {"findings", std::move(list)}})) +
         "\n";
}

}  // namespace rota::cli
