#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "model/record.h"
#include "plan/attempts.h"
#include "plan/freshness.h"
#include "plan/lane.h"
#include "plan/policy.h"

namespace rota {

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
  bool anew = false;        // Circle does not know it, and a client wants to ask all the same
  bool forced = false;      // the member's token is alive, but not good enough for that client
  bool kept = true;         // the budget has room to keep it fresh ahead of time
  bool in_use = false;      // a client asked for it lately
  bool others_work = true;  // the upstream as a whole does not fail
  // The access tokens of a member that stays are revoked as urgently as a leaver's: a client has
  // just signed it out.
  bool hurries_revocations = false;
  WallTime leaves_not_before{};  // an idle or forgotten member need not be looked at before this
};

// The plan of one member, a pure function. `now`, Circle's time, decides only which tokens have
// ended by now. `seed` goes to refresh_due().
MemberPlan plan_member(const MemberRecord& record, const Attempts& attempts, Demand demand,
                       const Policy& policy, const UpstreamFacts& facts, std::uint64_t seed,
                       WallTime now);

// Whether the token, which is to be revoked, is of a member that is out, or was out after it came:
// the tokens that a reinstated member held before are a leaver's too.
bool is_a_leavers(const Token& token, const MemberRecord& record);
// When the record of a leaver may be forgotten, if no call left a doubt about it; none: it is no
// leaver, or something of it is alive.
std::optional<WallTime> forget_due(const MemberRecord& record);
// When an enrolled member leaves because no client asked for it; none: it does not.
std::optional<WallTime> idle_due(const MemberRecord& record, const EnrolmentPolicy& policy);

// The record's current token of a kind, or null. Valid until the record's tokens change.
const Token* current(const MemberRecord& record, TokenKind kind);
Token* current(MemberRecord& record, TokenKind kind);

// How long a token stays on record after its end: our idea of Circle's clock may be off.
inline constexpr Duration kLedgerSlack{5'000};
// The least and the greatest time after which Circle is asked again to revoke a token of a member
// that it has removed. Circle may restore the member, and the token with it.
inline constexpr Duration kGoneRetryMin = std::chrono::minutes{10};
inline constexpr Duration kGoneRetryMax = std::chrono::hours{24};
// After this many failures in a row a member's calls go behind all others, unless the whole
// upstream fails.
inline constexpr int kUrgentTriesMax = 3;
// A new pair waits for the old refresh token's revocation until that has failed this often.
inline constexpr int kRevocationTriesAwaited = 3;

}  // namespace rota
