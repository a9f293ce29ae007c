#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "model/outcome.h"
#include "model/record.h"
#include "plan/apply.h"
#include "plan/circle_clock.h"
#include "plan/freshness.h"
#include "plan/lane.h"
#include "plan/policy.h"
#include "store/token_store.h"

namespace rota {

// What Rota knows about Circle as a whole from its replies: its clock (P1), how long its tokens
// live, and whether an early refresh brings a new token. Also decides when to ask Circle for its
// time.
//
// Return values say what is new; the engine plans members again and puts it on record. Pure, and
// single-threaded: the engine owns it.
class Learned {
 public:
  // `boot`: names the kernel's run that now.boot counts in.
  Learned(const Policy& policy, const Snapshot& snapshot, BootId boot, Now now);

  // --- Circle's clock ---

  CircleClock& clock() { return clock_; }
  const CircleClock& clock() const { return clock_; }
  // Appends what a commit puts on record about the clock; nothing until a reply has confirmed it.
  void put_clock(Now now, std::vector<Mutation>& changes) const;
  // The clock was corrected, and Circle's time is `circle` now: the next probe of early refreshes
  // comes within a day of that.
  void clock_moved(WallTime circle);

  // Whether a call of this lane may go out as far as the clock is concerned. While Circle's time is
  // in doubt, calls that bring tokens go out one at a time, with pauses: the first reply makes most
  // of them unnecessary, and a wall clock that is set over and over must not cost a call each time.
  // `asked`: a call is under way whose reply settles the doubt.
  bool lets_through(Lane lane, bool asked, BootTime now) const;
  // Before this no such call goes out while Circle's time is in doubt.
  BootTime doubt_call_at() const { return doubt_call_at_; }
  // Whether a refresh should be made only to get Circle's Date, at time_probe_at() or later. After
  // a reboot the wall clock may be wrong; if nothing were due for an hour, Rota would serve expired
  // tokens by it.
  bool wants_time_probe(bool asked, bool any_in_flight) const;
  // A new doubt need not wait for the distance from a probe that was made for another reason.
  BootTime time_probe_at() const;
  // A probe was made, or no member has a refresh token for one.
  void probed_time(BootTime now);
  // A call was opened, which tells the time too if it brings tokens.
  void opened(CallKind kind, BootTime now);

  // --- The tokens' life ---

  const UpstreamFacts& facts() const { return facts_; }
  // A token was received, whatever became of it.
  void note_life(const Token& token);
  // A token was on record at the start.
  void recall(const Token& token);
  // The longest life that a token can have that was lost with a call of this kind (P3). Never less
  // than Circle documents: the tokens seen so far may have been old ones that it handed out again.
  Duration doubt_length(CallKind kind) const;
  // True when this is the first refresh that brought a new refresh token too.
  bool note_rotation_of_refresh(const Outcome& outcome);
  // A refresh is about to be made while the access token is still alive. If early refreshes are
  // known to bring nothing new, this one is the probe of the day.
  void note_early_refresh(const Token* access, WallTime circle);

  // What the engine has to tell, to plan again or to put on record.
  struct Lesson {
    bool cost_changed = false;  // what it takes to keep a member fresh: count again how many fit
    bool shorter_than_ahead = false;           // the lifetime is now no longer than refresh_ahead
    std::optional<WallTime> probe_early_at{};  // the next probe of early refreshes: for the record
    std::optional<bool> early_useless{};       // changed to this: plan all members again
  };
  // A call brought tokens, each of which went to note_life() before. `access` and `refresh` are the
  // ones that are in force now; null: none. `was_early`: the access token before had some time left
  // when the reply came.
  Lesson learn(CallKind kind, Progress progress, bool was_early, const Token* access,
               const Token* refresh, WallTime circle);

 private:
  void learn_lifetime(const Token& access, CallKind kind);

  const Duration refresh_ahead_;
  const BootId boot_;
  CircleClock clock_;
  BootTime time_probe_at_{};
  std::uint64_t probed_in_doubt_ = 0;  // CircleClock::doubts() at the last probe
  BootTime doubt_call_at_{};
  UpstreamFacts facts_;
  // The longest lives that were seen: a doubt must last as long as the token can.
  Duration longest_access_{0};
  Duration longest_refresh_{0};
  bool refresh_rotates_ = false;  // a refresh brings a new refresh token too
};

}  // namespace rota
