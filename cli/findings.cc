#include "cli/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "cli/columns.h"

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

std::string describe_findings(const Findings& findings, bool all,
                              std::optional<std::size_t> columns) {
  std::string text;
  std::set<std::string> remedies;
  const auto add = [&](const Finding& each) {
    std::string said = each.text;
    if (!each.remedy.empty() && remedies.insert(each.remedy).second) said += " -> " + each.remedy;
    const std::string head = fmt::format("{:<5}  {:<11} ", name_of(each.state), each.about);
    said = visible(said);
    if (!columns) {
      text += head + said + "\n";
      return;
    }
    std::string lines = wrapped(said, *columns, head.size());
    text += lines.replace(0, std::min(head.size(), lines.size()), head);
  };
  for (const FindingState state : {FindingState::kWrong, FindingState::kNote}) {
    for (const Finding& each : findings) {
      if (each.state == state) add(each);
    }
  }
  std::size_t good = 0;
  std::string what;
  for (const Finding& each : findings) {
    if (each.state != FindingState::kGood) continue;
    if (all || each.asked) add(each);
    if (each.asked) continue;
    ++good;
    if (!what.contains(each.about)) what += (what.empty() ? "" : ", ") + each.about;
  }
  if (all || good == 0) return text;
  constexpr std::string_view kHead = "good   ";
  const std::string rest =
      fmt::format("{} ({}); --all shows them", counted(good, "check", "checks"), visible(what));
  if (!columns) return text + std::string(kHead) + rest + "\n";
  return text + wrapped(rest, *columns, kHead.size()).replace(0, kHead.size(), kHead);
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
