#pragma once

#include <optional>

#include "base/fingerprint.h"
#include "base/random.h"
#include "base/slim_vector.h"
#include "base/small_optional.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// How a member's calls went lately, and when it may be tried again. This is not durable: after a
// restart every member may try at once, within the budget. All times are on Circle's clock. Pure.
//
// What a call that brings tokens (an issue or a refresh) does, by how it ended:
//
//                        failures   the next try
//   succeeded()          0          as planned
//   failed()             one more   after a backoff; tries come closer together towards the end of
//                                   the member's token
//   came_too_early()     1          in kEndSlack
//   arrived_dead()       one more   after dead_arrival_delay(), even if a client waits
//   unknown_to_circle()  0          between kUnknownRetryMin and kUnknownRetryMax later
//
// Whoever calls failed(), came_too_early(), arrived_dead() or revocation_failed() also calls
// Members::mark_failing(), so that forgive() finds the member.
struct Attempts {
  int failures = 0;                    // issue and refresh calls in a row that settled nothing
  bool dead_on_arrival = false;        // the last token that came was dead on arrival
  bool settle_by_issue = false;        // a refresh settled nothing: make an issue call instead
  WallTime retry_at;                   // after a failure: no try before this
  WallTime last_at;                    // when the last issue or refresh call was sent
  WallTime throttled_until;            // the end of the pause after a 429 to one of its calls
  WallTime no_rotation_before;         // clients revoke its tokens, one after the other
  WallTime forced_at;                  // when the last forced one brought a token, new or not
  SmallOptional<Fingerprint> refused;  // a client says that Circle refused this access token

  struct Revocation {
    TokenId token{};
    int failures = 0;
    int unheard = 0;  // failures of calls that may have reached Circle
    WallTime retry_at;
  };
  SlimVector<Revocation> revocations;  // only tokens whose revocation failed at least once

  // --- When to try again ---

  // Before this no issue or refresh call is sent because of failures; long ago if there were none.
  // `waiting`: a client waits for the member. Then the backoff counts for less, unless Circle gives
  // tokens that are dead on arrival.
  WallTime next_try(bool waiting) const;
  // Zero if no revocation of this token failed.
  WallTime revocation_retry_at(TokenId token) const;
  int revocations_unheard(TokenId token) const;

  // --- What a call did ---

  // A token came, new or not. What it is worth is told by one of the calls below. `forced`: the one
  // before was alive, but a client or an operator had asked for another.
  void answered(bool forced, WallTime now);
  void succeeded() { failures = 0; }
  // `access_life`: of a new access token. `left`: how long the member's own has to live; zero or
  // less: it has none that lives.
  void failed(Duration access_life, Duration left, WallTime now, Random& random);
  // A refresh at the very end of the token brought the same token once more, because Circle's clock
  // is a little behind our idea of it.
  void came_too_early(WallTime now);
  // The token had ended before it arrived, or not.
  void arrived_dead(WallTime now, Random& random);
  void arrived_alive() { dead_on_arrival = false; }
  // Circle has no such member. `since`: when it said so first; none: only now.
  void unknown_to_circle(std::optional<WallTime> since, WallTime now);

  // `unheard`: the call may have reached Circle.
  void revocation_failed(TokenId token, bool unheard, Duration access_life, WallTime now,
                         Random& random);
  void revocation_over(TokenId token);

  // --- What ends a backoff ---

  // Circle works again: no member waits for the end of a backoff that an outage caused. False: it
  // goes on waiting, because Circle answered it before, but with a token that was dead on arrival
  // (P7). Its revocations are tried again in both cases.
  bool forgive();
  // Circle's clock is not what it was taken for, so all times are forgotten.
  void forget_times();
};

// The least and the greatest time after which a member that Circle does not know is asked for
// again.
inline constexpr Duration kUnknownRetryMin = std::chrono::minutes{10};
inline constexpr Duration kUnknownRetryMax = std::chrono::hours{24};
// A failing member for which a client waits is tried again after this time, whatever its backoff
// says. The time doubles with each failure, up to the maximum.
inline constexpr Duration kUrgentRetryGap{1'000};
inline constexpr Duration kUrgentRetryGapMax{5'000};

}  // namespace rota
