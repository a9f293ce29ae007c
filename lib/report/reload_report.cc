#include "report/reload_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/check.h"

namespace rota {
namespace {

using Part = ReloadReport::Part;

std::string_view name_of(Part part) {
  switch (part) {
    case Part::kInForce:
      return "in_force";
    case Part::kWaiting:
      return "waiting";
    case Part::kFailed:
      return "failed";
  }
  ROTA_CHECK(false);
}

auto parts_of(const ReloadReport& report) {
  return std::array{std::pair{"configuration", report.configuration},
                    std::pair{"grants", report.grants}, std::pair{"app_token", report.app_token},
                    std::pair{"roster", report.roster}};
}

boost::json::array list_of(const std::vector<std::string>& texts) {
  boost::json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

}  // namespace

std::string changes_in(std::string_view what, const ReloadChanges& changes) {
  std::string text;
  const auto add = [&text](std::size_t count, std::string_view how) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, how);
  };
  add(changes.added, "added");
  add(changes.changed, "changed");
  add(changes.removed, "removed");
  return text.empty() ? text : fmt::format("{}: {}", what, text);
}

Error error_of(const ReloadReport& report) {
  std::vector<std::string> in_force;
  for (const auto& [name, part] : parts_of(report)) {
    if (part == Part::kInForce) in_force.emplace_back(name);
  }
  std::string message = fmt::format("{}", fmt::join(report.problems, "; "));
  if (!in_force.empty()) {
    message += fmt::format("; these are in force as on disk: {}", fmt::join(in_force, ", "));
  }
  if (report.grants == Part::kWaiting) {
    message += "; removed grants are withdrawn, added ones wait for the roster";
  }
  return {.kind = report.kind.value_or(ErrorKind::kBug), .message = std::move(message)};
}

std::string with_report(std::string plan_json, const ReloadReport& report) {
  boost::json::object parts;
  for (const auto& [name, part] : parts_of(report)) parts[name] = std::string(name_of(part));
  parts["needs_restart"] = list_of(report.needs_restart);
  parts["held_back"] = list_of(report.held_back);
  parts["changed"] = list_of(report.changed);
  ROTA_CHECK(plan_json.ends_with('}'));
  plan_json.pop_back();
  return fmt::format("{},\"reload\":{}}}", plan_json, boost::json::serialize(parts));
}

std::vector<std::string> warnings_of(const ReloadReport& report) {
  std::vector<std::string> warnings;
  if (!report.needs_restart.empty()) {
    warnings.push_back(
        fmt::format("a reload applies roster, grants, app token and log level; the other changes "
                    "of the configuration need a restart: [{}]",
                    fmt::join(report.needs_restart, "], [")));
  }
  if (report.grants == Part::kWaiting) {
    warnings.emplace_back(
        "added grants wait until the whole roster is in force; removed ones are withdrawn");
  }
  return warnings;
}

}  // namespace rota
