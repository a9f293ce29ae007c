#include "engine/upkeep.h"

#include <iterator>
#include <utility>

namespace rota {

void Upkeep::put(MemberId member, WallTime last_used, std::optional<UseRank>& place) {
  if (place && place->last_used == last_used) return;
  const bool was_kept = place && keeps(*place);
  const bool was_left_out = place && !was_kept;
  if (place) (was_kept ? kept_ : left_out_).erase(*place);
  place = UseRank{.last_used = last_used, .member = member};
  const bool before_the_line = left_out_.empty() || *place < *left_out_.begin();
  (before_the_line ? kept_ : left_out_).insert(*place);
  if (before_the_line ? was_left_out : was_kept) moved_.push_back(member);
  balance();
}

void Upkeep::remove(std::optional<UseRank>& place) {
  if (!place) return;
  (keeps(*place) ? kept_ : left_out_).erase(*place);
  place.reset();
  balance();
}

void Upkeep::set_capacity(std::size_t members) {
  capacity_ = members;
  balance();
}

bool Upkeep::keeps(const UseRank& place) const {
  return left_out_.empty() || place < *left_out_.begin();
}

std::vector<MemberId> Upkeep::take_moved() { return std::exchange(moved_, {}); }

void Upkeep::balance() {
  while (kept_.size() > capacity_) {
    const auto last = std::prev(kept_.end());
    moved_.push_back(last->member);
    left_out_.insert(kept_.extract(last));
  }
  while (kept_.size() < capacity_ && !left_out_.empty()) {
    moved_.push_back(left_out_.begin()->member);
    kept_.insert(left_out_.extract(left_out_.begin()));
  }
}

}  // namespace rota
