#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/promises.h"
#include "sim/world.h"
#include "support/roster_diff.h"

// P6: what a roster may change, and when.

namespace rota::sim {

// The records say which roster is in force. This does the guard's arithmetic a second time.
void Promises::before_roster(const Roster& file, const std::string& approve) {
  if (!approve.empty()) approvals_.insert(file.fingerprint);
  roster_foreseen_ = !roster_comes_;
  if (std::exchange(roster_comes_, true)) {
    world_.note("roster.meanwhile");
    return;
  }
  members_before_.clear();
  std::map<MemberKey, bool> in_force;  // key → retired
  for (const auto& [key, member] : world_.engine().members().by_key()) {
    const MemberSlot& slot = *world_.engine().find(member);
    if (named_by_roster(slot.record)) members_before_.emplace(member, slot.record.state);
    for (const Selector& selector : slot.record.selectors) {
      if (selector.in_roster) in_force.emplace(selector.key, selector.retired);
    }
  }
  std::map<MemberKey, bool> wanted;
  for (const RosterEntry& entry : file.entries) wanted.emplace(entry.key, entry.retired);

  test::RosterDiff diff;
  std::size_t active = 0;
  to_go_.clear();
  for (const auto& [key, retired] : in_force) {
    if (retired) continue;
    ++active;
    const auto now = wanted.find(key);
    if (now == wanted.end() || now->second) diff.retire.push_back(key);
  }
  for (const auto& [key, retired] : wanted) {
    const MemberSlot* slot = world_.engine().find(key);
    const auto before = in_force.find(key);
    const bool was_active = before != in_force.end() && !before->second;
    if (retired && !was_active && slot != nullptr && is_wanted(slot->record)) {
      diff.retire.push_back(key);
    }
  }
  for (const MemberKey& key : diff.retire) {
    to_go_.push_back(world_.engine().find(key)->record.id);
  }
  const GuardPolicy& guard = world_.options().policy.guard;
  const double share = guard.max_retire_fraction * static_cast<double>(active);
  guard_allows_ = std::max(guard.max_retire_count, static_cast<std::size_t>(share));
  must_be_held_ = diff.retire.size() > guard_allows_;
  // An operator had approved it, and a crash cut the job off.
  const bool goes_on = must_be_held_ && file.fingerprint != 0 &&
                       durable().meta().approved_roster == file.fingerprint;
  if (goes_on) world_.note("approval.goes_on");
  approved_ = must_be_held_ && (goes_on || approve == test::plan_id(diff));
}

std::size_t Promises::gone_since_roster() const {
  std::size_t gone = 0;
  for (const auto& [member, before] : members_before_) {
    const MemberSlot* slot = world_.engine().find(member);
    const bool stays = before == MemberState::kRetiring || before == MemberState::kRetired ||
                       before == MemberState::kBlocked;
    if (stays || slot == nullptr) continue;
    if (slot->record.state == MemberState::kRetiring ||
        slot->record.state == MemberState::kRetired) {
      ++gone;
    }
  }
  return gone;
}

void Promises::end_roster() {
  if (!std::exchange(roster_comes_, false)) return;
  world_.note("crash.between_slices");
}

// If an approval is for another plan, nothing of the roster may be applied.
void Promises::on_roster_refused() {
  if (roster_foreseen_ && approved_) world_.breach("P6: the right approval is refused");
  if (roster_foreseen_ && gone_since_roster() > 0) {
    world_.breach("P6: a roster that is refused retires somebody");
  }
  roster_foreseen_ = false;
}

// Called at each slice, and after the last one. What before_roster() foresaw holds only if nothing
// else disturbed the roster meanwhile.
void Promises::p6_follow_roster() {
  if (!roster_comes_) return;
  const bool more = world_.engine().applies_roster();
  if (more) world_.note("roster.slice");
  if (roster_foreseen_ && !approved_) {
    const std::size_t gone = gone_since_roster();
    if (gone > guard_allows_) {
      world_.breach(fmt::format("P6: {} members are retired at once without approval", gone));
    }
    if (must_be_held_ && gone > 0) world_.breach("P6: a roster that is held retires somebody");
  }
  if (more) return;
  roster_comes_ = false;
  if (roster_foreseen_) p6_roster_in_force();
}

void Promises::p6_roster_in_force() {
  const bool held = world_.engine().held_plan() != nullptr;
  if (held != (must_be_held_ && !approved_)) {
    world_.breach(fmt::format("P6: a roster is {} although the guard says otherwise",
                              held ? "held" : "applied"));
  }
  if (must_be_held_ && !approved_) world_.note("guard.held");
  if (approved_) {
    world_.note("guard.approved");
    for (const MemberId member : to_go_) {
      const MemberSlot* slot = world_.engine().find(member);
      const bool in_force =
          slot != nullptr && std::ranges::all_of(slot->record.selectors, [](const Selector& s) {
            return s.in_roster && !s.retired;
          });
      if (in_force) world_.breach("P6: an approved retirement did not happen");
    }
  }
}

void Promises::p6_approval_on_record_was_given() {
  if (durable().meta().approved_roster != 0 &&
      !approvals_.contains(durable().meta().approved_roster)) {
    world_.breach("P6: an approval is on record that nobody gave");
  }
}

// If a start finds the fingerprint of the roster on disk on record, it compares nothing. So all of
// that roster must be on record, whenever the process was killed.
void Promises::p6_roster_on_record_is_whole() {
  if (durable().meta().roster == 0) return;
  std::vector<RosterEntry> entries;
  for (const auto& [member, row] : durable().members()) {
    for (const Selector& s : row.selectors) {
      if (!s.in_roster) continue;
      entries.push_back({.key = s.key,
                         .name = s.name,
                         .tags = {s.tags.begin(), s.tags.end()},
                         .retired = s.retired});
    }
  }
  if (Operators::fingerprint_of(std::move(entries)) != durable().meta().roster) {
    world_.breach("P6: a roster is on record as in force of which a part is missing");
  }
}

}  // namespace rota::sim
