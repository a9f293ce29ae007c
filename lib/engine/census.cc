#include "engine/census.h"

#include <algorithm>
#include <iterator>

namespace rota {

void Census::put(MemberId member, Entry& counted, Entry entry) {
  entry.is_counted = true;
  if (counted == entry) return;
  remove(member, counted);
  counted = entry;
  count(entry, true);
  if (entry.served_until) ends_.insert({*entry.served_until, member});
  if (entry.kept) dues_of(entry).insert({entry.due, member});
}

void Census::remove(MemberId member, Entry& counted) {
  if (!counted.is_counted) return;
  count(counted, false);
  if (counted.served_until) ends_.erase({*counted.served_until, member});
  if (counted.kept) dues_of(counted).erase({counted.due, member});
  counted = {};
}

std::size_t Census::in_state(MemberState state) const {
  return by_state_.at(static_cast<std::size_t>(state));
}

// Each end is taken out once, by whoever asks first after it.
std::size_t Census::fresh(WallTime now) {
  while (!ends_.empty() && ends_.begin()->first <= now) ends_.erase(ends_.front());
  return ends_.size();
}

std::optional<WallTime> Census::first_end(WallTime now) {
  if (fresh(now) == 0) return std::nullopt;
  return ends_.begin()->first;
}

Census::Times& Census::dues_of(const Entry& entry) {
  if (entry.in_use) return dues_in_use_;
  return entry.served_until ? dues_idle_ : dues_first_;
}

std::size_t Census::before(const Times& dues, WallTime now) {
  const auto first_in_time =
      std::ranges::find_if(dues, [now](const auto& due) { return due.first >= now; });
  return static_cast<std::size_t>(std::distance(dues.begin(), first_in_time));
}

void Census::count(const Entry& entry, bool in) {
  std::size_t& members = by_state_.at(static_cast<std::size_t>(entry.state));
  members = in ? members + 1 : members - 1;
  if (entry.only_enrolled) only_enrolled_ = in ? only_enrolled_ + 1 : only_enrolled_ - 1;
  if (entry.named_by_roster) named_by_roster_ = in ? named_by_roster_ + 1 : named_by_roster_ - 1;
  if (entry.kept && !entry.served_until) {
    without_token_ = in ? without_token_ + 1 : without_token_ - 1;
  }
  revoking_ = in ? revoking_ + entry.revoking : revoking_ - entry.revoking;
}

}  // namespace rota
