#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "roster/roster.h"

namespace rota {

// What a wanted roster changes against the one in force.
struct RosterDiff {
  std::vector<RosterEntry> add;  // not in force, or in force as retired and now wanted again
  // Same standing, but another name, other tags or another spelling of the key. Or new, with
  // retired = true.
  std::vector<RosterEntry> change;
  std::vector<MemberKey> retire;  // in force and not retired, now gone or with retired = true
  std::vector<MemberKey> drop;    // in force with retired = true, now gone: no change of standing

  bool empty() const { return add.empty() && change.empty() && retire.empty() && drop.empty(); }
};

// Each list is sorted by key, so equal rosters give equal diffs whatever the order of their
// entries.
RosterDiff diff_rosters(const Roster& in_force, const Roster& wanted);

// The mass-retirement guard (P6).
struct GuardPolicy {
  std::size_t max_retire_count = 5;
  double max_retire_fraction = 0.02;

  bool operator==(const GuardPolicy&) const = default;
};

// Whether a roster that retires `retire` of `active` members must wait for an operator: if `retire`
// is more than max_retire_count and also more than max_retire_fraction of `active`.
bool held_by_guard(std::size_t retire, std::size_t active, const GuardPolicy& policy);

// Names the retirements of a diff: 16 hex digits that change whenever the set of keys does.
std::string plan_id(const RosterDiff& diff);

}  // namespace rota
