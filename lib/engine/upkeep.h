#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "model/record.h"

namespace rota {

// A member's place in the order of who was used last.
struct UseRank {
  WallTime last_used;
  MemberId member{};

  // The latest first; of those never used, the one that came first.
  bool operator<(const UseRank& other) const {
    return last_used != other.last_used ? last_used > other.last_used : member < other.member;
  }
};

// Which members are kept fresh ahead of time: all of them, or, where the budget is short, as many
// as fit, those that were used last. A step costs O(log n) and one more for each member that it
// moves across the line.
class Upkeep {
 public:
  // Moves `member` to the place of `last_used`; `place` is where it stands, kept by the caller.
  void put(MemberId member, WallTime last_used, std::optional<UseRank>& place);
  void remove(std::optional<UseRank>& place);
  void set_capacity(std::size_t members);

  bool keeps(const UseRank& place) const;
  // Those that came in or fell out since the last call.
  std::vector<MemberId> take_moved();

  std::size_t capacity() const { return capacity_; }
  std::size_t kept() const { return kept_.size(); }
  std::size_t left_out() const { return left_out_.size(); }

 private:
  void balance();

  std::size_t capacity_ = 0;
  std::set<UseRank> kept_;  // every one of them before every one of left_out_
  std::set<UseRank> left_out_;
  std::vector<MemberId> moved_;
};

}  // namespace rota
