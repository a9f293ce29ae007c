#pragma once

#include <string>
#include <vector>

#include "roster/roster.h"

namespace rota::test {

// What a roster changes, found in the simplest way: by both lists, whole and sorted. RosterJob,
// which compares in slices with the records, is held to it.

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

// Names the retirements of a diff: 16 hex digits that change whenever the set of keys does. If
// there are none, names the additions and changes.
std::string plan_id(const RosterDiff& diff);

}  // namespace rota::test
