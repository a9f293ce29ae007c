#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/chunked_set.h"
#include "base/small_optional.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// Counts of members: by state, fresh, overdue. They are updated with each change of a record, so no
// question needs a pass over all members. Times are on Circle's clock. Pure, and single-threaded.
class Census {
 public:
  // What is counted of one member.
  struct Entry {
    MemberState state = MemberState::kActive;
    // Bits, because each member has an entry.
    bool is_counted : 1 = false;     // set by the census: false means that nothing is counted
    bool kept : 1 = false;           // kept fresh ahead of time
    bool in_use : 1 = false;         // a client asked for it lately (active_within)
    bool only_enrolled : 1 = false;  // it is a member because clients say so, and no roster
    bool named_by_roster : 1 = false;
    std::uint32_t revoking = 0;            // tokens that are to be revoked
    SmallOptional<WallTime> served_until;  // the end of an active member's access token
    WallTime due;                          // without a live token after this it is overdue
    bool operator==(const Entry&) const = default;
  };

  // `counted` is what is counted for this member now, at first Entry{}. The caller keeps it, and
  // changes it only by these two.
  void put(MemberId member, Entry& counted, Entry entry);
  void remove(MemberId member, Entry& counted);

  std::size_t in_state(MemberState state) const;
  std::size_t revoking() const { return revoking_; }
  // Members that clients have enrolled and the roster does not name.
  std::size_t only_enrolled() const { return only_enrolled_; }
  std::size_t named_by_roster() const { return named_by_roster_; }
  // Active members whose token is alive. Each end that has passed is dropped for good: `now` must
  // not run backwards by much, or members are missing until their next put().
  std::size_t fresh(WallTime now);
  // When the first of those tokens ends; none: none is alive. Drops ends like fresh().
  std::optional<WallTime> first_end(WallTime now);

  // The other counts are of members that are kept fresh. Each of these is in one of three groups;
  // a member is overdue if its Entry::due is before `now`.

  // Members in use.
  std::size_t overdue_in_use(WallTime now) const { return before(dues_in_use_, now); }
  // Members that no client asks for and that have never had a token: the overdue ones, and all.
  std::size_t overdue_first(WallTime now) const { return before(dues_first_, now); }
  std::size_t first_issues() const { return dues_first_.size(); }
  // Those that never had a token, in use or not.
  std::size_t without_token() const { return without_token_; }
  // Members that no client asks for and that have had a token: how many are overdue, and when the
  // first of them is.
  std::size_t overdue_idle(WallTime now) const { return before(dues_idle_, now); }
  std::optional<WallTime> first_idle_due() const {
    return dues_idle_.empty() ? std::nullopt : std::optional(dues_idle_.begin()->first);
  }

 private:
  using Times = ChunkedSet<std::pair<WallTime, MemberId>>;
  void count(const Entry& entry, bool in);
  Times& dues_of(const Entry& entry);
  static std::size_t before(const Times& dues, WallTime now);

  std::array<std::size_t, kMemberStates.size() + 1> by_state_{};  // indexed by MemberState
  std::size_t revoking_ = 0;
  std::size_t only_enrolled_ = 0;
  std::size_t named_by_roster_ = 0;
  Times ends_;  // of the tokens not yet seen to have ended
  // Of the members kept fresh:
  Times dues_in_use_;
  Times dues_first_;
  Times dues_idle_;
  std::size_t without_token_ = 0;
};

}  // namespace rota
