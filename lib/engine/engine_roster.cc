#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "engine/engine.h"
#include "plan/lifecycle.h"
#include "roster/diff.h"

// How a roster changes the records.

namespace rota {
namespace {

constexpr std::size_t kCallsPerAdd = 1;
constexpr std::size_t kCallsPerRetire = 2;  // a refresh token and an access token

std::vector<MemberKey> keys_of(const std::vector<RosterEntry>& entries) {
  std::vector<MemberKey> keys;
  keys.reserve(entries.size());
  for (const RosterEntry& entry : entries) keys.push_back(entry.key);
  return keys;
}

std::size_t active_entries(const Roster& roster) {
  return static_cast<std::size_t>(
      std::ranges::count_if(roster.entries, [](const RosterEntry& e) { return !e.retired; }));
}

}  // namespace

Roster Engine::roster_in_force() const {
  Roster roster;
  for (const auto& [member, slot] : members_.all()) {
    for (const Selector& s : slot.record.selectors) {
      if (!s.in_roster) continue;
      roster.entries.push_back(
          {.key = s.key, .name = s.name, .tags = s.tags, .retired = s.retired});
    }
  }
  return roster;
}

// A new entry with retired = true may be another name of an active member. That retires the member,
// so the guard has to count it.
RosterDiff Engine::diff_to(const Roster& roster) const {
  RosterDiff diff = diff_rosters(roster_in_force(), roster);
  const auto retires = [this](const RosterEntry& entry) {
    const MemberSlot* const known = members_.find(entry.key);
    return entry.retired && known != nullptr && wanted_by_roster(known->record);
  };
  for (const RosterEntry& entry : diff.change) {
    if (retires(entry)) diff.retire.push_back(entry.key);
  }
  std::erase_if(diff.change, retires);
  std::ranges::sort(diff.retire);
  return diff;
}

RosterPlan Engine::plan_for(const Roster& roster) const {
  const RosterDiff diff = diff_to(roster);
  return {
      .id = plan_id(diff),
      .held = held_by_guard(diff.retire.size(), active_entries(roster_in_force()), policy_.guard),
      .add = keys_of(diff.add),
      .retire = diff.retire,
      .change = keys_of(diff.change),
      .calls = diff.add.size() * kCallsPerAdd + diff.retire.size() * kCallsPerRetire};
}

void Engine::apply_entry(const RosterEntry& entry, Now now) {
  const Selector selector{.key = entry.key,
                          .in_roster = true,
                          .retired = entry.retired,
                          .name = entry.name,
                          .tags = entry.tags};
  MemberSlot* const known = members_.find(entry.key);
  if (known == nullptr) {
    MemberSlot& slot = members_.add({.id = members_.next_id(),
                                     .state = MemberState::kActive,
                                     .state_since = circle_now(now),
                                     .selectors = {selector},
                                     .community_member_id = std::nullopt,
                                     .community_id = std::nullopt,
                                     .renew_not_before = {},
                                     .last_used = {},
                                     .tokens = {}});
    follow_roster(slot, now);
    return;
  }
  MemberSlot& slot = *known;
  auto& selectors = slot.record.selectors;
  const auto same = std::ranges::find(selectors, entry.key, &Selector::key);
  if (same == selectors.end()) {
    selectors.push_back(selector);
  } else {
    const WallTime resolved_at = same->resolved_at;
    *same = selector;
    same->resolved_at = resolved_at;
  }
  follow_roster(slot, now);
}

void Engine::apply_removal(const MemberKey& key, const SortedRoster& wanted, Now now) {
  MemberSlot* const known = members_.find(key);
  if (known == nullptr) return;
  MemberSlot& slot = *known;
  const auto selector = std::ranges::find(slot.record.selectors, key, &Selector::key);
  const RosterEntry* entry = wanted.find(key);
  if (selector == slot.record.selectors.end()) {
    if (entry != nullptr) apply_entry(*entry, now);  // the name is new for this member
    return;
  }
  selector->in_roster = entry != nullptr;
  selector->retired = entry != nullptr && entry->retired;
  if (entry != nullptr) {
    selector->name = entry->name;
    selector->tags = entry->tags;
  }
  follow_roster(slot, now);
}

void Engine::forget_tags_left_behind(const MemberKey& key) {
  MemberSlot* const known = members_.find(key);
  if (known == nullptr) return;
  MemberSlot& slot = *known;
  if (!forget_stale_tags(slot.record)) return;
  record_change(slot, RecordChange{.row = true, .put = {}, .erased = {}});
}

void Engine::follow_roster(MemberSlot& slot, Now now) {
  const auto event =
      wanted_by_roster(slot.record) ? LifecycleEvent::kWanted : LifecycleEvent::kDropped;
  const MemberState before = slot.record.state;
  if (event == LifecycleEvent::kDropped) release_shared(slot);
  RecordChange change{.row = true, .put = {}, .erased = {}};
  change.merge(enter(slot.record, event, circle_now(now)));
  record_change(slot, change);
  if (slot.record.state != before) {
    tell(Severity::kInfo, std::string(name_of(slot.record.state)), &slot,
         fmt::format("was {}; {} tokens on record", name_of(before), slot.record.tokens.size()));
    note(event == LifecycleEvent::kDropped ? AuditEvent::kMemberRetired
                                           : AuditEvent::kMemberReturned,
         &slot, fmt::format("was {}", name_of(before)));
    answer_waiters(slot, now);
  }
  settle_if_nothing_alive(slot, now);
  replan(slot, now);
}

}  // namespace rota
