#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "roster/roster.h"

namespace rota {

// A roster whose entries are found by key. It never changes, so several threads may read it. To
// make or to destroy a large one takes long: do both off the loop.
class SortedRoster {
 public:
  static std::shared_ptr<const SortedRoster> of(Roster roster);

  SortedRoster(const SortedRoster&) = delete;  // by_key_ points into roster_
  SortedRoster& operator=(const SortedRoster&) = delete;

  const Roster& roster() const { return roster_; }
  std::size_t size() const { return by_key_.size(); }
  // The entry at this place in the order of the keys. `place` is less than size().
  const RosterEntry& at(std::size_t place) const { return *by_key_.at(place); }
  // Null if the roster has no such entry.
  const RosterEntry* find(const MemberKey& key) const;

 private:
  explicit SortedRoster(Roster roster);

  const Roster roster_;
  std::vector<const RosterEntry*> by_key_;
};
using SortedRosterPtr = std::shared_ptr<const SortedRoster>;

}  // namespace rota
