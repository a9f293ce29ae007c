#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/record.h"
#include "store/token_store.h"

namespace rota {

// The call journal (P3) as the engine sees it: one row for each call, written before it is sent. A
// row whose call is over is kept for one window, since it is a slot of the budget; one of unknown
// fate until the token that may have been lost with it must have expired. Of several doubts of one
// member and kind the last is enough: it is over last, so the others are slots and no more.
class Journal {
 public:
  // One moment: on Circle's clock, which doubts go by, and on the boot clock, which the budget
  // does.
  struct Time {
    WallTime circle;
    BootTime boot;
  };

  // What the store had. Rows still open belonged to a process that is gone.
  struct Past {
    std::vector<CallRow> rows;
    CallId next{1};
    BootStamp last_commit;
  };
  Journal(const Past& past, Duration window, BootId boot, BootTime now);

  // Opens a row; commit `mutations` before the call is sent.
  CallId open(CallKind kind, MemberId member, WallTime now, std::vector<Mutation>& mutations);
  // Closes it. `doubt_until`: for kUnknown, when a token lost with the call must have expired.
  void close(CallId call, CallFate fate, std::optional<WallTime> doubt_until, Time now,
             std::vector<Mutation>& mutations);
  // The id of the call that is opened next: larger than that of any call before.
  CallId next() const { return CallId{next_}; }
  // Erases rows that nothing counts on any more. Doubts stay while Circle's clock is not `sure`.
  void sweep(Time now, bool sure, std::vector<Mutation>& mutations);
  // Circle's clock turned out to be this much further: what was doubted by it lives that much
  // longer.
  void postpone_doubts(Duration by, std::vector<Mutation>& mutations);
  // A member's doubts go over to the member that it turned out to be.
  void reassign(MemberId from, MemberId to, std::vector<Mutation>& mutations);

  // When the calls on record were over, in order: the budget's restored slots. Open ones count as
  // over at `now`.
  std::vector<BootTime> completions(BootTime now) const;
  // That moment on this boot's clock, and no earlier than it was: no clock tells how long the
  // machine was off, so the last commit before it counts as made when this boot began. None: there
  // is nothing of that boot to go by.
  std::optional<BootTime> on_this_boot(const BootStamp& stamp) const;
  // Puts what was dated anew on record, so that the rows of one boot at most are foreign.
  void put_dates(std::vector<Mutation>& mutations);
  // The rows that were open at the start.
  std::vector<CallRow> open_rows() const;
  std::size_t doubts() const { return doubts_.size(); }
  std::size_t doubts_of(MemberId member) const;

  // How far Circle's clock as we know it may be off: the resolution of a Date, twice.
  static constexpr Duration kDatingError{2'000};

 private:
  // Of this row and the one before it, returns the one that the other stands for, if there are two.
  std::optional<CallRow> add_doubt(const CallRow& row);
  CallRow take_doubt(CallId call);
  void keep_as_slot(CallRow row, std::vector<Mutation>& mutations);

  const Duration window_;
  const BootId boot_;
  const BootStamp last_commit_;
  std::vector<CallRow> dated_anew_;
  std::int64_t next_;
  std::map<CallId, CallRow> open_;
  std::deque<CallRow> closed_;        // in order of closing
  std::map<CallId, CallRow> doubts_;  // closed with kUnknown, doubt not over
  std::set<std::pair<WallTime, CallId>> doubt_ends_;
  std::map<std::pair<MemberId, CallKind>, CallId> last_doubt_;
};

}  // namespace rota
