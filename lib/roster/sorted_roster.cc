#include "roster/sorted_roster.h"

#include <algorithm>
#include <utility>

namespace rota {
namespace {

constexpr auto kKeyOf = [](const RosterEntry* entry) -> const MemberKey& { return entry->key; };

}  // namespace

SortedRosterPtr SortedRoster::of(Roster roster) {
  return SortedRosterPtr(new SortedRoster(std::move(roster)));
}

SortedRoster::SortedRoster(Roster roster) : roster_(std::move(roster)) {
  by_key_.reserve(roster_.entries.size());
  for (const RosterEntry& entry : roster_.entries) by_key_.push_back(&entry);
  std::ranges::sort(by_key_, {}, kKeyOf);
}

const RosterEntry* SortedRoster::find(const MemberKey& key) const {
  const auto at = std::ranges::lower_bound(by_key_, key, {}, kKeyOf);
  return at != by_key_.end() && (*at)->key == key ? *at : nullptr;
}

}  // namespace rota
