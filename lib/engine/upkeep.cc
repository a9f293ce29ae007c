#include "engine/upkeep.h"

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
  const auto move = [this](UseRank place, ChunkedSet<UseRank>& from, ChunkedSet<UseRank>& to) {
    moved_.push_back(place.member);
    from.erase(place);
    to.insert(place);
  };
  while (kept_.size() > capacity_) move(kept_.back(), kept_, left_out_);
  while (kept_.size() < capacity_ && !left_out_.empty()) move(left_out_.front(), left_out_, kept_);
}

}  // namespace rota
