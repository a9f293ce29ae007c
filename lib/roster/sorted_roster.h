#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "roster/roster.h"

namespace rota {

// A roster that can be looked up by key. It takes long to make and to destroy if it is large: do
// both off the loop.
class SortedRoster {
 public:
  static std::shared_ptr<const SortedRoster> of(Roster roster);

  SortedRoster(const SortedRoster&) = delete;  // by_key_ points into roster_
  SortedRoster& operator=(const SortedRoster&) = delete;

  const Roster& roster() const { return roster_; }
  std::size_t size() const { return by_key_.size(); }
  const RosterEntry& at(std::size_t place) const { return *by_key_.at(place); }  // in order
  const RosterEntry* find(const MemberKey& key) const;  // null: there is none

 private:
  explicit SortedRoster(Roster roster);

  const Roster roster_;
  std::vector<const RosterEntry*> by_key_;
};
using SortedRosterPtr = std::shared_ptr<const SortedRoster>;

}  // namespace rota
