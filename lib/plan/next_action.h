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

// What a member's record alone does not hold: how its calls went lately. Not durable: after a
// restart every member may try at once, within the budget.
struct Attempts {
  int failures = 0;                    // issue and refresh calls in a row that settled nothing
  WallTime retry_at;                   // not before, after a failure
  WallTime last_at;                    // when the last issue or refresh call was sent
  WallTime throttled_until;            // the end of the pause after a 429 to one of its calls
  WallTime answered_at;                // when the last one brought a token, new or not
  bool dead_on_arrival = false;        // and whether that had ended by then
  bool settle_by_issue = false;        // a refresh did not settle it: ask by an issue call
  std::optional<Fingerprint> refused;  // a client says that Circle refused this access token

  struct Revocation {
    TokenId token{};
    int failures = 0;
    int unheard = 0;  // of these, those that went out: Circle may have been asked
    WallTime retry_at;
  };
  std::vector<Revocation> revocations;  // only tokens whose revocation failed at least once

  WallTime revocation_retry_at(TokenId token) const;
  int revocations_unheard(TokenId token) const;
};

// One call that is to be made, and when.
struct PlannedCall {
  CallKind kind = CallKind::kIssue;
  Lane lane = Lane::kIssue;
  WallTime due;     // Circle's clock
  TokenId token{};  // the token the call is about; none for kIssue
};

// The calls that a member needs next, at most one in each lane.
struct MemberPlan {
  std::array<std::optional<PlannedCall>, kLaneCount> calls;
  // When the record must be looked at without any call: a token on record ends or is to be revoked,
  // or the member is to be forgotten.
  std::optional<WallTime> housekeeping;
};

// Who wants a member's token.
struct Demand {
  bool waiting = false;     // a client waits for it
  bool forced = false;      // a token is alive, but not good enough for that client
  bool kept = true;         // the budget has room to keep it fresh ahead of time
  bool in_use = false;      // a client asked for it lately
  bool others_work = true;  // it is not the whole upstream that fails
};

// Pure: the plan of one member. `now` matters only for what is already over.
MemberPlan plan_member(const MemberRecord& record, const Attempts& attempts, Demand demand,
                       const Policy& policy, const UpstreamFacts& facts, std::uint64_t seed,
                       WallTime now);

// The record's current token of a kind, or null.
const Token* current(const MemberRecord& record, TokenKind kind);
Token* current(MemberRecord& record, TokenKind kind);

// A token past its end is kept this much longer: our idea of Circle's clock may be off.
inline constexpr Duration kLedgerSlack{5'000};
// How soon, and then how rarely, Circle is asked again to revoke a token of a member that it has
// removed: the member may be restored, and the token with it.
inline constexpr Duration kGoneRetryMin = std::chrono::minutes{10};
inline constexpr Duration kGoneRetryMax = std::chrono::hours{24};
// How soon, and then how rarely, a member that Circle does not know is asked for again.
inline constexpr Duration kUnknownRetryMin = std::chrono::minutes{10};
inline constexpr Duration kUnknownRetryMax = std::chrono::hours{24};
// A failing member is tried again for a waiting client after this, whatever its backoff says; a
// second time after twice that, and so on.
inline constexpr Duration kUrgentRetryGap{1'000};
inline constexpr Duration kUrgentRetryGapMax{5'000};
// After so many failures in a row, where others get their tokens, its calls go behind theirs.
inline constexpr int kUrgentTriesMax = 3;
// A new pair waits for the old refresh token's revocation until that has failed so often.
inline constexpr int kRevocationTriesAwaited = 3;

}  // namespace rota
