#include "plan/next_action.h"

#include <gtest/gtest.h>

#include "plan/lifecycle.h"
#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using test::access_token;
using test::kT0;
using test::refresh_token;

constexpr WallTime kAtOnce{};

class NextActionTest : public testing::Test {
 protected:
  NextActionTest() { policy.jitter = 0; }

  MemberPlan plan(const MemberRecord& record, WallTime now = kT0) const {
    return plan_member(record, attempts, demand, policy, facts, 1, now);
  }
  // The one call of the plan; fails the test where there are more or fewer.
  static PlannedCall only_call(const MemberPlan& plan) {
    std::vector<PlannedCall> calls;
    for (const auto& call : plan.calls) {
      if (call) calls.push_back(*call);
    }
    EXPECT_EQ(calls.size(), 1U);
    return calls.empty() ? PlannedCall{} : calls.front();
  }
  static void expect_call(const std::optional<PlannedCall>& call, CallKind kind, WallTime due,
                          std::int64_t token = 0) {
    ASSERT_TRUE(call.has_value());
    EXPECT_EQ(call->kind, kind);
    EXPECT_EQ(call->due, due);
    EXPECT_EQ(call->token, TokenId{token});
  }
  static const std::optional<PlannedCall>& in(const MemberPlan& plan, Lane lane) {
    return plan.calls[index_of(lane)];
  }

  Policy policy;
  UpstreamFacts facts;
  Attempts attempts;
  Demand demand;
};

TEST_F(NextActionTest, AMemberWithNothingIsIssuedInTheLastLane) {
  const auto call = only_call(plan(test::member(1, MemberState::kActive, "id:42")));
  EXPECT_EQ(call.lane, Lane::kIssue);
  expect_call(call, CallKind::kIssue, kAtOnce);
}

TEST_F(NextActionTest, APairIsRefreshedAheadAndRenewedAhead) {
  const MemberPlan p = plan(test::member_with_pair());
  expect_call(in(p, Lane::kRefresh), CallKind::kRefresh, kT0 + 50min, 2);
  expect_call(in(p, Lane::kRenewal), CallKind::kIssue, kT0 + days{28});
  EXPECT_FALSE(in(p, Lane::kWaiting) || in(p, Lane::kRevocation) || in(p, Lane::kIssue));
  EXPECT_EQ(p.housekeeping, std::nullopt);
}

TEST_F(NextActionTest, P7ARenewalThatFailedWaitsForItsBackoff) {
  const WallTime now = kT0 + days{29};
  MemberRecord record = test::member_with_pair();
  record.tokens[0].expires_at = now + 1h;
  attempts.failures = 1;
  attempts.retry_at = now + 7s;
  attempts.last_at = now;
  expect_call(in(plan(record, now), Lane::kRenewal), CallKind::kIssue, now + 7s);
  attempts.failures = 0;
  expect_call(in(plan(record, now), Lane::kRenewal), CallKind::kIssue, kT0 + days{28});
}

TEST_F(NextActionTest, P7WhoWaitsWhereTokensAreDeadOnArrivalWaitsForTheBackoff) {
  MemberRecord record = test::member_with_pair();
  record.tokens[0].expires_at = kT0;
  attempts.failures = 1;
  attempts.last_at = kT0;
  attempts.retry_at = kT0 + 30s;
  demand.waiting = true;
  expect_call(in(plan(record), Lane::kWaiting), CallKind::kRefresh, kT0 + kUrgentRetryGap, 2);
  attempts.dead_on_arrival = true;
  expect_call(in(plan(record), Lane::kWaiting), CallKind::kRefresh, kT0 + 30s, 2);
}

TEST_F(NextActionTest, ADeadRefreshTokenMeansAnIssue) {
  struct Case {
    WallTime now;
    CallKind kind;
  };
  demand.in_use = true;
  // The margin of a second belongs to the refresh token too.
  for (const auto& [now, kind] : {Case{kT0 + days{31} - 1'001ms, CallKind::kRefresh},
                                  Case{kT0 + days{31} - 1'000ms, CallKind::kIssue}}) {
    const MemberPlan p = plan(test::member_with_pair(), now);
    ASSERT_TRUE(in(p, Lane::kRefresh));
    EXPECT_EQ(in(p, Lane::kRefresh)->kind, kind);
    EXPECT_EQ(in(p, Lane::kRenewal).has_value(), kind == CallKind::kRefresh);
  }
}

TEST_F(NextActionTest, AnUnclear401IsSettledByAnIssue) {
  attempts.settle_by_issue = true;
  attempts.failures = 1;
  attempts.retry_at = kT0 + 51min;
  const auto call = only_call(plan(test::member_with_pair()));
  expect_call(call, CallKind::kIssue, kT0 + 51min);
  EXPECT_EQ(call.lane, Lane::kRefresh);
}

TEST_F(NextActionTest, ARenewalThatBroughtTheSameEndWaits) {
  MemberRecord record = test::member_with_pair();
  record.renew_not_before = kT0 + days{31};
  expect_call(in(plan(record), Lane::kRenewal), CallKind::kIssue, kT0 + days{31});
}

TEST_F(NextActionTest, AWaitingClientMovesTheCallToTheFirstLane) {
  demand = {.waiting = true, .forced = false};
  const auto first = only_call(plan(test::member(1, MemberState::kActive, "id:42")));
  EXPECT_EQ(first.lane, Lane::kWaiting);
  expect_call(first, CallKind::kIssue, kAtOnce);

  const MemberPlan p = plan(test::member_with_pair(), kT0 + 2h);  // its access token is over
  expect_call(in(p, Lane::kWaiting), CallKind::kRefresh, kAtOnce, 2);
  EXPECT_FALSE(in(p, Lane::kRefresh));
}

TEST_F(NextActionTest, ForcedRefreshesKeepTheirDistance) {
  demand = {.waiting = true, .forced = true};
  expect_call(in(plan(test::member_with_pair()), Lane::kWaiting), CallKind::kRefresh, kAtOnce, 2);
  attempts.forced_at = kT0;
  expect_call(in(plan(test::member_with_pair()), Lane::kWaiting), CallKind::kRefresh, kT0 + 10s, 2);
  facts.early_refresh_useless = true;
  expect_call(in(plan(test::member_with_pair()), Lane::kWaiting), CallKind::kRefresh,
              kT0 + 1h + kEndSlack, 2);
}

TEST_F(NextActionTest, BackoffHoldsTheCallButLessForAWaitingClient) {
  attempts.failures = 3;
  attempts.last_at = kT0 + 2h;
  attempts.retry_at = kT0 + 3h;
  demand.in_use = true;
  demand.others_work = false;
  const MemberPlan background = plan(test::member_with_pair(), kT0 + 2h);
  expect_call(in(background, Lane::kRefresh), CallKind::kRefresh, kT0 + 3h, 2);
  expect_call(in(background, Lane::kRenewal), CallKind::kIssue, kT0 + days{28});
  demand.waiting = true;
  expect_call(in(plan(test::member_with_pair(), kT0 + 2h), Lane::kWaiting), CallKind::kRefresh,
              kT0 + 2h + 4 * kUrgentRetryGap, 2);
  attempts.failures = 1;
  expect_call(in(plan(test::member_with_pair(), kT0 + 2h), Lane::kWaiting), CallKind::kRefresh,
              kT0 + 2h + kUrgentRetryGap, 2);
  attempts.failures = 20;
  expect_call(in(plan(test::member_with_pair(), kT0 + 2h), Lane::kWaiting), CallKind::kRefresh,
              kT0 + 2h + kUrgentRetryGapMax, 2);
  attempts.retry_at = kT0 + 2h + 50ms;  // a backoff shorter than the gap holds
  expect_call(in(plan(test::member_with_pair(), kT0 + 2h), Lane::kWaiting), CallKind::kRefresh,
              kT0 + 2h + 50ms, 2);
}

TEST_F(NextActionTest, AMemberThatFailsAloneGoesBehindTheOthersThoughAClientWaits) {
  demand = {.waiting = true, .forced = false};
  attempts.last_at = kT0 + 2h;
  attempts.retry_at = kT0 + 3h;
  for (const int failures : {1, 2, 3, 4}) {
    attempts.failures = failures;
    const MemberPlan p = plan(test::member_with_pair(), kT0 + 2h);
    EXPECT_EQ(in(p, Lane::kWaiting).has_value(), failures < kUrgentTriesMax) << failures;
    EXPECT_EQ(in(p, Lane::kIssue).has_value(), failures >= kUrgentTriesMax) << failures;
  }
}

TEST_F(NextActionTest, RevocationTakesTheRefreshTokenFirst) {
  for (const auto state : {MemberState::kRetiring, MemberState::kRetired, MemberState::kBlocked}) {
    MemberRecord record = test::member_with_pair(state);
    record.tokens.push_back(access_token(3, "access-0", TokenStatus::kRevoking));
    const auto call = only_call(plan(record));
    EXPECT_EQ(call.lane, Lane::kRevocation);
    expect_call(call, CallKind::kRevokeRefresh, kAtOnce, 2);
  }
}

TEST_F(NextActionTest, AFailedRevocationWaitsAndTheOthersGoOn) {
  MemberRecord record = test::member_with_pair(MemberState::kRetiring);
  attempts.revocations = {{.token = TokenId{2}, .failures = 1, .retry_at = kT0 + 5s}};
  expect_call(only_call(plan(record)), CallKind::kRevokeAccess, kAtOnce, 1);
  attempts.revocations.push_back({.token = TokenId{1}, .failures = 1, .retry_at = kT0 + 7s});
  expect_call(only_call(plan(record)), CallKind::kRevokeRefresh, kT0 + 5s, 2);
}

TEST_F(NextActionTest, AMemberThatIsOutIsNeitherIssuedNorRefreshedWhoeverWaits) {
  demand = {.waiting = true, .forced = true};
  for (const auto state : {MemberState::kRetiring, MemberState::kRetired, MemberState::kBlocked,
                           MemberState::kMismatched}) {
    MemberRecord record =
        test::member(1, state, "id:42", {access_token(1, "a"), refresh_token(2, "r")});
    for (const auto& call : plan(record).calls) EXPECT_FALSE(call) << name_of(state);
  }
}

TEST_F(NextActionTest, AReinstatedMemberWaitsForTheEndOfItsOldRefreshToken) {
  MemberRecord record = test::member(1, MemberState::kActive, "id:42",
                                     {refresh_token(2, "r", TokenStatus::kRevoking),
                                      access_token(1, "a", TokenStatus::kRevoking)});
  EXPECT_EQ(only_call(plan(record)).lane, Lane::kRevocation);
  demand = {.waiting = true, .forced = false};
  EXPECT_EQ(only_call(plan(record)).lane, Lane::kRevocation);
  // An old access token does not stand in the way.
  erase_if(record.tokens, [](const Token& t) { return t.kind == TokenKind::kRefresh; });
  expect_call(in(plan(record), Lane::kWaiting), CallKind::kIssue, kAtOnce);
  expect_call(in(plan(record), Lane::kRevocation), CallKind::kRevokeAccess, kAtOnce, 1);
}

// One that Circle will not revoke must not keep a member without a token for as long as it lives.
TEST_F(NextActionTest, ARevocationThatKeepsFailingHoldsNobodyBack) {
  const MemberRecord record = test::member(1, MemberState::kActive, "id:42",
                                           {refresh_token(2, "r", TokenStatus::kRevoking),
                                            access_token(1, "a", TokenStatus::kRevoking)});
  attempts.revocations = {{.token = TokenId{2}, .failures = 9, .unheard = 2, .retry_at = kT0 + 5s}};
  EXPECT_EQ(only_call(plan(record)).lane, Lane::kRevocation);
  attempts.revocations[0].unheard = 3;
  expect_call(in(plan(record), Lane::kIssue), CallKind::kIssue, kAtOnce);
  EXPECT_TRUE(in(plan(record), Lane::kRevocation)) << "which goes on";
}

TEST_F(NextActionTest, P4ARemovedMembersTokenIsAskedAboutAgainButRarely) {
  MemberRecord record = test::member(1, MemberState::kRetired, "id:42",
                                     {access_token(1, "a", TokenStatus::kMemberGone)});
  const auto next_after = [&](Duration age) {
    record.tokens.front().status_since = kT0 + age;
    const auto call = only_call(plan(record));
    EXPECT_EQ(call.lane, Lane::kSuperseded) << "in nobody's way";
    EXPECT_EQ(call.kind, CallKind::kRevokeAccess);
    return call.due - record.tokens.front().status_since;
  };
  EXPECT_EQ(next_after(1min), kGoneRetryMin);
  EXPECT_EQ(next_after(25min), 25min);
  EXPECT_EQ(next_after(days{5}), kGoneRetryMax);
  attempts.revocations = {{.token = TokenId{1}, .failures = 1, .retry_at = kT0 + days{9}}};
  EXPECT_EQ(kT0 + 25min + next_after(25min), kT0 + days{9});
  EXPECT_EQ(plan(record).housekeeping, kT0 + 1h + kLedgerSlack);
}

// Behind all that a member needs: it harms nobody as a leaver's would.
TEST_F(NextActionTest, AReplacedRefreshTokenIsRevokedWhileTheNewOneWorks) {
  MemberRecord record = test::member_with_pair();
  record.tokens.push_back(refresh_token(3, "refresh-0", TokenStatus::kRevoking));
  record.tokens.back().status_since = record.state_since + 1ms;
  expect_call(in(plan(record), Lane::kSuperseded), CallKind::kRevokeRefresh, kAtOnce, 3);
  EXPECT_FALSE(in(plan(record), Lane::kRevocation));
  expect_call(in(plan(record), Lane::kRefresh), CallKind::kRefresh, kT0 + 50min, 2);
}

TEST_F(NextActionTest, AnUnknownMemberIsLookedAtAgainAndNoClientSpeedsThatUp) {
  demand = {.waiting = true, .forced = false};
  const MemberRecord record = test::member(1, MemberState::kUnknown, "id:42");
  const auto call = only_call(plan(record));
  EXPECT_EQ(call.lane, Lane::kIssue);
  expect_call(call, CallKind::kIssue, kT0 + kUnknownRetryMin);
  attempts.retry_at = kT0 + 5h;
  expect_call(only_call(plan(record)), CallKind::kIssue, kT0 + 5h);
}

TEST_F(NextActionTest, AnUnknownMemberIsAskedAboutAtOnceIfAClientAsksAllTheSame) {
  const MemberRecord record = test::member(1, MemberState::kUnknown, "id:42");
  attempts.retry_at = kT0 + 5h;
  demand.anew = true;
  EXPECT_EQ(only_call(plan(record)).lane, Lane::kIssue);
  expect_call(only_call(plan(record)), CallKind::kIssue, kAtOnce);
  demand.waiting = true;
  EXPECT_EQ(only_call(plan(record)).lane, Lane::kWaiting);
  attempts.throttled_until = kT0 + 1min;
  expect_call(only_call(plan(record)), CallKind::kIssue, kT0 + 1min);
  attempts.throttled_until = {};
  attempts.failures = kUrgentTriesMax;
  attempts.last_at = kT0;
  EXPECT_EQ(only_call(plan(record)).lane, Lane::kIssue);
  EXPECT_GT(only_call(plan(record)).due, kT0) << "a failure has a backoff";
}

TEST_F(NextActionTest, HousekeepingIsDueWhenSomethingOfTheRecordEnds) {
  struct Case {
    const char* what;
    MemberState state;
    std::vector<Token> tokens;
    std::optional<Duration> revoke_after;
    std::optional<Duration> at;  // after kT0
  };
  const Token superseded = access_token(3, "old", TokenStatus::kSuperseded);
  const Token revoking = access_token(4, "leaving", TokenStatus::kRevoking, kT0 - 30min);
  for (const Case& c : {
           Case{"current", MemberState::kActive, {access_token(1, "a")}, {}, {}},
           Case{"superseded", MemberState::kActive, {superseded}, {}, 1h + kLedgerSlack},
           Case{"superseded, revoked soon", MemberState::kActive, {superseded}, 5min, 5min},
           Case{"superseded, revoked late",
                MemberState::kActive,
                {superseded},
                5h,
                1h + kLedgerSlack},
           Case{"the earlier",
                MemberState::kActive,
                {superseded, revoking},
                {},
                30min + kLedgerSlack},
           Case{"retired", MemberState::kRetired, {}, {}, kTombstoneLife},
           Case{"blocked", MemberState::kBlocked, {}, {}, {}},  // still named by the roster
           Case{"retiring", MemberState::kRetiring, {}, {}, {}},
           Case{"mismatched, not ours to revoke",
                MemberState::kMismatched,
                {superseded},
                5min,
                1h + kLedgerSlack},
       }) {
    policy.revoke_superseded_after = c.revoke_after;
    const auto at = plan(test::member(1, c.state, "id:42", c.tokens)).housekeeping;
    EXPECT_EQ(at.has_value(), c.at.has_value()) << c.what;
    if (at && c.at) EXPECT_EQ(*at - kT0, *c.at) << c.what;
  }
}

}  // namespace
}  // namespace rota
