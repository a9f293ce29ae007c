#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "base/time.h"
#include "model/record.h"

namespace rota {

// How many members stand where, kept up with every change of a record, so that nothing counts all
// of them to tell.
class Census {
 public:
  // What of a member counts.
  struct Entry {
    MemberState state = MemberState::kActive;
    std::size_t revoking = 0;              // tokens that are to be revoked
    std::optional<WallTime> served_until;  // the end of an active member's access token
    WallTime due;                          // by when it has to have one: later, it is overdue
    bool kept = false;                     // kept fresh ahead of time
    bool operator==(const Entry&) const = default;
  };

  // `counted`: what stands for this member now, kept by the caller; none before the first time.
  void put(MemberId member, std::optional<Entry>& counted, const Entry& entry);
  void remove(MemberId member, std::optional<Entry>& counted);

  std::size_t in_state(MemberState state) const;
  std::size_t revoking() const { return revoking_; }
  // Active members whose token is alive.
  std::size_t fresh(WallTime now);
  // Members that are kept fresh, and had to have a token before `now` but have none alive.
  std::size_t overdue(WallTime now) const;

 private:
  using Times = std::set<std::pair<WallTime, MemberId>>;
  void count(const Entry& entry, bool in);

  static constexpr std::size_t kStates = 7;  // MemberState counts from 1
  std::array<std::size_t, kStates> by_state_{};
  std::size_t revoking_ = 0;
  Times ends_;  // of the tokens not yet seen to have ended
  Times dues_;  // of the members kept fresh
};

}  // namespace rota
