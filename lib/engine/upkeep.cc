#include "engine/upkeep.h"

#include <utility>

namespace rota {

void Upkeep::put(MemberId member, WallTime last_used, SmallOptional<WallTime>& ranked_use) {
  if (ranked_use == last_used) return;
  bool was_kept = false;
  bool was_left_out = false;
  if (ranked_use) {
    const UseRank before{.last_used = *ranked_use, .member = member};
    was_kept = keeps(before);
    was_left_out = !was_kept;
    (was_kept ? kept_ : left_out_).erase(before);
  }
  ranked_use = last_used;
  const UseRank place{.last_used = last_used, .member = member};
  const bool before_the_line = keeps(place);
  (before_the_line ? kept_ : left_out_).insert(place);
  if (before_the_line ? was_left_out : was_kept) moved_.push_back(member);
  balance();
}

void Upkeep::remove(MemberId member, SmallOptional<WallTime>& ranked_use) {
  if (!ranked_use) return;
  const UseRank place{.last_used = *ranked_use, .member = member};
  (keeps(place) ? kept_ : left_out_).erase(place);
  ranked_use.reset();
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
