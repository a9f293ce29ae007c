#include "cli/import_report.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "base/time.h"
#include "roster/guard.h"
#include "roster/sorted_roster.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kKeysShownMax = 20;
// A leaver's refresh token and one access token are revoked; more access tokens may be alive.
constexpr std::size_t kCallsOfALeaver = 2;

std::string list(std::string_view what, const std::vector<MemberKey>& keys) {
  std::string text = fmt::format("  {:<7} {}", what, keys.size());
  for (std::size_t i = 0; i < keys.size() && i < kKeysShownMax; ++i) {
    text += fmt::format("{} {}", i == 0 ? ":" : ",", keys[i].text());
  }
  if (keys.size() > kKeysShownMax) text += ", …";
  return text + "\n";
}

// Where an entry of the new roster belongs; null if nothing changes. `old` is null if it is new.
std::vector<MemberKey>* list_of(const RosterEntry* old, const RosterEntry& now,
                                ImportReport& report) {
  const bool was_active = old != nullptr && !old->retired;
  if (!now.retired && !was_active) return &report.add;
  if (now.retired && was_active) return &report.retire;
  const bool same = old != nullptr && *old == now && old->key.same_spelling(now.key);
  return same ? nullptr : &report.change;
}

json::array keys_json(const std::vector<MemberKey>& keys) {
  json::array list;
  for (const MemberKey& key : keys) list.emplace_back(key.text());
  return list;
}

std::string describe_guard(const ImportReport& report) {
  if (report.leavers == 0) return {};
  const GuardPolicy& guard = report.policy.guard;
  const std::string leavers = counted(report.leavers, "active member", "active members");
  if (!report.held) {
    return fmt::format("the guard lets it through: {} of {} would leave\n", leavers, report.active);
  }
  return fmt::format(
      "THE GUARD WOULD HOLD IT: {} of {} would leave, more than {} and more than {} %; `rota plan` "
      "shows it, `rota approve ID` lets it through\n",
      leavers, report.active, guard.max_retire_count, guard.max_retire_fraction * 100);
}

std::string_view describe_ending(ImportEnding ending) {
  switch (ending) {
    case ImportEnding::kWritten:
      return "written; `rota reload` brings it into force\n";
    case ImportEnding::kSame:
      return "the file has all this already: nothing was written\n";
    case ImportEnding::kDryRun:
      return "nothing was written (--dry-run)\n";
  }
  ROTA_CHECK(false);
}

}  // namespace

ImportReport report_import(const Roster& before, const Roster& after, const Policy& policy) {
  const SortedRosterPtr old_list = SortedRoster::of(before);
  const SortedRosterPtr new_list = SortedRoster::of(after);
  ImportReport report;
  for (std::size_t i = 0; i < new_list->size(); ++i) {
    const RosterEntry& now = new_list->at(i);
    if (auto* list = list_of(old_list->find(now.key), now, report)) list->push_back(now.key);
  }
  report.leavers = report.retire.size();
  for (std::size_t i = 0; i < old_list->size(); ++i) {
    const RosterEntry& old = old_list->at(i);
    if (!old.retired) ++report.active;
    if (new_list->find(old.key) != nullptr) continue;
    report.remove.push_back(old.key);
    if (!old.retired) ++report.leavers;
  }
  report.held = held_by_guard(report.leavers, report.active, policy.guard);
  report.calls = report.add.size() + kCallsOfALeaver * report.leavers;
  report.policy = policy;
  return report;
}

std::string describe_import(const ImportReport& report) {
  std::string text = fmt::format("{}: {}\n", report.out, report.size);
  text += list("add", report.add) + list("change", report.change) + list("retire", report.retire) +
          list("remove", report.remove);
  text += fmt::format("costs about {} to Circle; the budget has {} in {}\n",
                      counted(report.calls, "call", "calls"), report.policy.requests_per_window,
                      format_duration(report.policy.window));
  text += describe_guard(report);
  for (const std::string& note : report.notes) text += fmt::format("note: {}\n", note);
  text += describe_ending(report.ending);
  return visible(text, "\n");
}

std::string import_json(const ImportReport& report) {
  json::object object{{"out", report.out}, {"members", report.members}};
  object["add"] = keys_json(report.add);
  object["change"] = keys_json(report.change);
  object["retire"] = keys_json(report.retire);
  object["remove"] = keys_json(report.remove);
  object["calls"] = report.calls;
  object["held"] = report.held;
  object["written"] = report.ending == ImportEnding::kWritten;
  json::array notes;
  for (const std::string& note : report.notes) notes.emplace_back(note);
  object["notes"] = std::move(notes);
  return visible_json(json::serialize(object)) + "\n";
}

}  // namespace rota::cli
