#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "roster/roster.h"

namespace rota {

// What a wanted roster changes against the one in force.
struct RosterDiff {
  std::vector<RosterEntry> add;  // not in force, or in force as retired and now wanted again
  // Same standing, another name, other tags or another spelling of the key; or new and retired.
  std::vector<RosterEntry> change;
  std::vector<MemberKey> retire;  // in force and not retired, now gone or retired = true
  std::vector<MemberKey> drop;    // in force as retired = true, now gone: changes nobody's standing

  bool empty() const { return add.empty() && change.empty() && retire.empty() && drop.empty(); }
};

// Sorted by key in each list, so that equal rosters give equal diffs whatever their order.
RosterDiff diff_rosters(const Roster& in_force, const Roster& wanted);

// The mass-retirement guard (P6).
struct GuardPolicy {
  std::size_t max_retire_count = 5;
  double max_retire_fraction = 0.02;

  bool operator==(const GuardPolicy&) const = default;
};

// Whether a roster that retires `retire` of `active` members must wait for an operator: only when
// it is more than the count and more than the fraction.
bool held_by_guard(std::size_t retire, std::size_t active, const GuardPolicy& policy);

// Names the retirements of a diff: 16 hex digits that change whenever the set of keys does.
std::string plan_id(const RosterDiff& diff);

}  // namespace rota
