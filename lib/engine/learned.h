#pragma once

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

// What Circle's replies have taught about Circle as a whole: its clock (P1), how long its tokens
// live, and whether an early refresh is of any use. And when Circle is asked for its time.
//
// What it learns it tells by return values; the engine plans anew and puts it on record. Pure, and
// single-threaded: the engine owns it.
class Learned {
 public:
  // `boot`: names the kernel's run that now.boot counts in.
  Learned(const Policy& policy, const Snapshot& snapshot, BootId boot, Now now);

  // --- Circle's clock ---

  CircleClock& clock() { return clock_; }
  const CircleClock& clock() const { return clock_; }
  // What a commit puts on record of it; nothing before a reply has confirmed it.
  void put_clock(Now now, std::vector<Mutation>& changes) const;
  // It was not what we took it for.
  void clock_moved(WallTime circle);

  // While Circle's time is in doubt, calls that bring tokens go out one at a time and at a
  // distance: the first reply shows most of them to be unnecessary, and a wall clock that is set
  // again and again costs no call each. `asked`: a call is on its way whose reply settles it.
  bool lets_through(Lane lane, bool asked, BootTime now) const;
  // Whether a refresh should be made for the sake of Circle's Date, at time_probe_at() or later:
  // after a reboot the wall clock may be wrong, and with nothing due for an hour expired tokens
  // would be served by it.
  bool wants_time_probe(bool asked, bool any_in_flight) const;
  BootTime time_probe_at() const { return time_probe_at_; }
  // One was made.
  void probed_time(BootTime now);
  // A call was opened, which tells the time too if it brings tokens.
  void opened(CallKind kind, BootTime now);

  // --- The tokens' life ---

  const UpstreamFacts& facts() const { return facts_; }
  // A token that was received, whatever became of it.
  void note_life(const Token& token);
  // A token that was on record at a start.
  void recall(const Token& token);
  // How long the longest-lived token may live that was lost with a call of this kind (P3). The
  // tokens seen so far may have been old ones handed out again: never less than is documented.
  Duration doubt_length(CallKind kind) const;
  // True when this is the first refresh that brought a new refresh token too.
  bool note_rotation_of_refresh(const Outcome& outcome);
  // A refresh is about to be made though its access token lives on: where that is of no use, it is
  // the day's probe, and the only one.
  void note_early_refresh(const Token* access, WallTime circle);

  // What is to be told, planned anew or put on record.
  struct Lesson {
    bool lives_anew = false;                   // the tokens' life may be another: count who fits
    bool shorter_than_ahead = false;           // so short now that refresh_ahead does not fit in it
    std::optional<WallTime> probe_early_at{};  // the next probe of early refreshes: for the record
    std::optional<bool> early_useless{};       // changed to this: all members are planned anew
  };
  // A call brought tokens: note_life() each of them before. `access` and `refresh` are the ones
  // that it left in force; null: there is none. `was_early`: the access token had some life left
  // when it was replaced.
  Lesson learn(CallKind kind, Progress progress, bool was_early, const Token* access,
               const Token* refresh, WallTime circle);

 private:
  void learn_lifetime(const Token& access, CallKind kind);

  const Duration refresh_ahead_;
  const BootId boot_;
  CircleClock clock_;
  BootTime time_probe_at_{};
  UpstreamFacts facts_;
  // The longest that was seen, for a doubt has to last as long as the token may.
  Duration longest_access_{0};
  Duration longest_refresh_{0};
  bool refresh_rotates_ = false;  // a refresh brings a new refresh token too
};

}  // namespace rota
