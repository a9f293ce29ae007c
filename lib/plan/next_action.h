#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/fingerprint.h"
#include "model/record.h"
#include "plan/freshness.h"
#include "plan/lane.h"
#include "plan/policy.h"

namespace rota {

// How a member's calls went lately. This is not durable: after a restart every member may try at
// once, within the budget. All times are on Circle's clock.
struct Attempts {
  int failures = 0;                    // issue and refresh calls in a row that settled nothing
  WallTime retry_at;                   // after a failure: no try before this
  WallTime last_at;                    // when the last issue or refresh call was sent
  WallTime throttled_until;            // the end of the pause after a 429 to one of its calls
  WallTime answered_at;                // when the last one brought a token, new or not
  bool dead_on_arrival = false;        // whether that token was dead on arrival
  bool settle_by_issue = false;        // a refresh settled nothing: make an issue call instead
  std::optional<Fingerprint> refused;  // a client says that Circle refused this access token

  struct Revocation {
    TokenId token{};
    int failures = 0;
    int unheard = 0;  // failures of calls that may have reached Circle
    WallTime retry_at;
  };
  std::vector<Revocation> revocations;  // only tokens whose revocation failed at least once

  // Zero if no revocation of this token failed.
  WallTime revocation_retry_at(TokenId token) const;
  int revocations_unheard(TokenId token) const;
};

// A call that is needed, and when.
struct PlannedCall {
  CallKind kind = CallKind::kIssue;
  Lane lane = Lane::kIssue;
  WallTime due;     // Circle's clock
  TokenId token{};  // the token that the call is about; zero for kIssue
};

// The calls that a member needs next, at most one in each lane.
struct MemberPlan {
  std::array<std::optional<PlannedCall>, kLaneCount> calls;
  // When the record needs housekeep() without any call: a token on record ends or must be revoked,
  // or the member must be forgotten.
  std::optional<WallTime> housekeeping;
};

// Who wants a member's token, and how much.
struct Demand {
  bool waiting = false;     // a client waits for it
  bool forced = false;      // the member's token is alive, but not good enough for that client
  bool kept = true;         // the budget has room to keep it fresh ahead of time
  bool in_use = false;      // a client asked for it lately
  bool others_work = true;  // the upstream as a whole does not fail
};

// The plan of one member, a pure function. `now`, Circle's time, decides only which tokens have
// ended by now. `seed` goes to refresh_due().
MemberPlan plan_member(const MemberRecord& record, const Attempts& attempts, Demand demand,
                       const Policy& policy, const UpstreamFacts& facts, std::uint64_t seed,
                       WallTime now);

// The record's current token of a kind, or null. Valid until the record's tokens change.
const Token* current(const MemberRecord& record, TokenKind kind);
Token* current(MemberRecord& record, TokenKind kind);

// How long a token stays on record after its end: our idea of Circle's clock may be off.
inline constexpr Duration kLedgerSlack{5'000};
// The least and the greatest time after which Circle is asked again to revoke a token of a member
// that it has removed. Circle may restore the member, and the token with it.
inline constexpr Duration kGoneRetryMin = std::chrono::minutes{10};
inline constexpr Duration kGoneRetryMax = std::chrono::hours{24};
// The least and the greatest time after which a member that Circle does not know is asked for
// again.
inline constexpr Duration kUnknownRetryMin = std::chrono::minutes{10};
inline constexpr Duration kUnknownRetryMax = std::chrono::hours{24};
// A failing member for which a client waits is tried again after this time, whatever its backoff
// says. The time doubles with each failure, up to the maximum.
inline constexpr Duration kUrgentRetryGap{1'000};
inline constexpr Duration kUrgentRetryGapMax{5'000};
// After this many failures in a row its calls go behind all others, unless the whole upstream
// fails.
inline constexpr int kUrgentTriesMax = 3;
// A new pair waits for the old refresh token's revocation until that has failed this often.
inline constexpr int kRevocationTriesAwaited = 3;

}  // namespace rota
