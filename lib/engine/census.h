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
    bool in_use = false;                   // somebody asked for it lately
    bool operator==(const Entry&) const = default;
  };

  // `counted`: what stands for this member now, kept by the caller; none before the first time.
  void put(MemberId member, std::optional<Entry>& counted, const Entry& entry);
  void remove(MemberId member, std::optional<Entry>& counted);

  std::size_t in_state(MemberState state) const;
  std::size_t revoking() const { return revoking_; }
  // Active members whose token is alive.
  std::size_t fresh(WallTime now);
  // When the first of their tokens ends; none: none is alive.
  std::optional<WallTime> first_end(WallTime now);
  // Members that are kept fresh, and had to have a token before `now` but have none alive: of those
  // in use; of those that nobody asked for and that never had one; and of those that had one.
  std::size_t overdue_in_use(WallTime now) const { return before(dues_in_use_, now); }
  std::size_t overdue_first(WallTime now) const { return before(dues_first_, now); }
  std::size_t overdue_idle(WallTime now) const { return before(dues_idle_, now); }
  std::optional<WallTime> first_idle_due() const {
    return dues_idle_.empty() ? std::nullopt : std::optional(dues_idle_.begin()->first);
  }
  // Members that are kept fresh, that nobody asked for, and that have no token yet.
  std::size_t first_issues() const { return dues_first_.size(); }

 private:
  using Times = std::set<std::pair<WallTime, MemberId>>;
  void count(const Entry& entry, bool in);
  Times& dues_of(const Entry& entry);
  static std::size_t before(const Times& dues, WallTime now);

  static constexpr std::size_t kStates = 7;  // MemberState counts from 1
  std::array<std::size_t, kStates> by_state_{};
  std::size_t revoking_ = 0;
  Times ends_;  // of the tokens not yet seen to have ended
  // Of the members kept fresh:
  Times dues_in_use_;
  Times dues_first_;
  Times dues_idle_;
};

}  // namespace rota
