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

// The call journal (P3) as the engine sees it: one row for each call, written before the call is
// sent. After the call the row is kept for one window, because it is a slot of the budget. A row of
// unknown fate is a doubt: it is kept until the token that may have been lost with the reply must
// have expired. Of several doubts of one member and kind only the last one is kept as a doubt,
// since it ends last; the others are slots of the budget and nothing more.
//
// Each method that changes rows appends what the store has to commit to `mutations`. Pure, and
// single-threaded: the engine owns it.
class Journal {
 public:
  // One moment on two clocks: doubts end by Circle's, slots of the budget by the boot clock.
  struct Time {
    WallTime circle;
    BootTime boot;
  };

  // What the store had. A row that is still open is a call of a process that is gone.
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
  // Erases the rows that are neither slots nor doubts any more. Doubts stay while Circle's clock is
  // not `sure`.
  void sweep(Time now, bool sure, std::vector<Mutation>& mutations);
  // Circle's clock turned out to be ahead of what we assumed by this much: doubts end that much
  // later.
  void postpone_doubts(Duration by, std::vector<Mutation>& mutations);
  // `from` turned out to be `to`, which takes over its doubts.
  void reassign(MemberId from, MemberId to, std::vector<Mutation>& mutations);

  // When the calls on record ended, in order: the slots that the budget restores. An open one
  // counts as ended at `now`.
  std::vector<BootTime> completions(BootTime now) const;
  // A moment of an earlier boot on the clock of this one, never earlier than it was. No clock tells
  // how long the machine was off, so the last commit of the earlier boot counts as made when this
  // boot began. None: no commit of that boot is known.
  std::optional<BootTime> on_this_boot(const BootStamp& stamp) const;
  // Puts the rows on record that were given times of this boot's clock, so that rows of at most one
  // other boot are on record.
  void put_dates(std::vector<Mutation>& mutations);
  // The rows that were open at the start.
  std::vector<CallRow> open_rows() const;
  std::size_t doubts() const { return doubts_.size(); }
  std::size_t doubts_of(MemberId member) const;

  // How far our idea of Circle's clock may be wrong: twice the resolution of the Date header.
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
