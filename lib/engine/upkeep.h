#pragma once

#include <cstddef>
#include <vector>

#include "base/chunked_set.h"
#include "base/small_optional.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// A member's place in the order of use.
struct UseRank {
  WallTime last_used;
  MemberId member{};

  // The most recently used comes first; of members never used, the one that came first.
  bool operator<(const UseRank& other) const {
    return last_used != other.last_used ? last_used > other.last_used : member < other.member;
  }
};

// Which members are kept fresh ahead of time: all of them, or as many as the budget allows, most
// recently used first. Each method costs O(log n), and as much again for each member that comes in
// or falls out. Pure, and single-threaded: Members owns it.
class Upkeep {
 public:
  // Gives `member` the place of `last_used`. `ranked_use` is the use that its place until now is
  // by; the caller keeps it and never writes it. None: it has no place.
  void put(MemberId member, WallTime last_used, SmallOptional<WallTime>& ranked_use);
  void remove(MemberId member, SmallOptional<WallTime>& ranked_use);
  void set_capacity(std::size_t members);

  bool keeps(const UseRank& place) const;
  // The members that came in or fell out since the last call.
  std::vector<MemberId> take_moved();

  std::size_t capacity() const { return capacity_; }
  std::size_t kept() const { return kept_.size(); }
  std::size_t left_out() const { return left_out_.size(); }

 private:
  void balance();

  std::size_t capacity_ = 0;
  ChunkedSet<UseRank> kept_;  // every one of them before every one of left_out_
  ChunkedSet<UseRank> left_out_;
  std::vector<MemberId> moved_;
};

}  // namespace rota
