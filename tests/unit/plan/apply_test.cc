#include "plan/apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/next_action.h"
#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using test::access_token;
using test::find_token;
using test::kT0;
using test::member_with_pair;
using test::refresh_token;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using enum MemberState;

constexpr WallTime kNow = kT0 + 50min;

class ApplyTest : public testing::Test {
 protected:
  Applied take(MemberRecord& record, CallKind call, const Outcome& outcome, std::int64_t token = 0,
               WallTime now = kNow) {
    return apply(record, call, TokenId{token}, outcome, now, ids);
  }
  static void expect_token(const MemberRecord& record, std::string_view value, TokenStatus status,
                           WallTime since) {
    const Token* token = find_token(record, value);
    ASSERT_NE(token, nullptr) << value;
    EXPECT_EQ(token->status, status) << value;
    EXPECT_EQ(token->status_since, since) << value;
  }
  TokenIds ids{TokenId{100}};
};

TEST_F(ApplyTest, TheFirstIssuePinsTheIdentityAndBringsAPair) {
  MemberRecord record = test::member(1, kActive, "email:grace@example.com");
  const Applied applied = take(record, CallKind::kIssue, test::issued("a", "r", kNow));
  EXPECT_EQ(applied.progress, Progress::kRotated);
  EXPECT_TRUE(applied.change.row);
  EXPECT_THAT(applied.change.put, ElementsAre(TokenId{100}, TokenId{101}));
  EXPECT_EQ(record.community_member_id, 42);
  EXPECT_EQ(record.community_id, 1);
  expect_token(record, "a", TokenStatus::kCurrent, kNow);
  expect_token(record, "r", TokenStatus::kCurrent, kNow);
  const Token& a = *find_token(record, "a");
  EXPECT_EQ(a.kind, TokenKind::kAccess);
  EXPECT_EQ(a.fingerprint, fingerprint_of("a"));
  EXPECT_EQ(a.issued_at, kNow);
  EXPECT_EQ(a.expires_at, kNow + 1h);
}

// P12: what Circle gives is dead on arrival, and the token that is there is not.
TEST_F(ApplyTest, P12ATokenThatIsDeadOnArrivalTakesThePlaceOfNoneThatIsAlive) {
  MemberRecord record = member_with_pair();
  take(record, CallKind::kRefresh, test::refreshed("dead", kNow - 1min), 2);
  expect_token(record, "access-1", TokenStatus::kCurrent, kT0);
  expect_token(record, "dead", TokenStatus::kSuperseded, kNow);  // P3: it is on the ledger
  take(record, CallKind::kRefresh, test::refreshed("access-2", kNow + 1h), 2);
  expect_token(record, "access-2", TokenStatus::kCurrent, kNow);
  expect_token(record, "access-1", TokenStatus::kSuperseded, kNow);
}

TEST_F(ApplyTest, ARefreshSupersedesTheAccessTokenAndKeepsItOnTheLedger) {
  MemberRecord record = member_with_pair();
  const Applied applied =
      take(record, CallKind::kRefresh, test::refreshed("access-2", kNow + 1h), 2);
  EXPECT_EQ(applied.progress, Progress::kRotated);
  EXPECT_FALSE(applied.change.row);
  EXPECT_THAT(applied.change.put, ElementsAre(TokenId{1}, TokenId{100}));
  EXPECT_THAT(applied.change.erased, IsEmpty());
  expect_token(record, "access-1", TokenStatus::kSuperseded, kNow);
  expect_token(record, "access-2", TokenStatus::kCurrent, kNow);
  expect_token(record, "refresh-1", TokenStatus::kCurrent, kT0);
}

TEST_F(ApplyTest, TheSameTokenAgainChangesNothing) {
  MemberRecord record = member_with_pair();
  const Applied applied =
      take(record, CallKind::kRefresh, test::refreshed("access-1", kT0 + 1h), 2);
  EXPECT_EQ(applied.progress, Progress::kSame);
  EXPECT_TRUE(applied.change.empty());
  EXPECT_EQ(record.tokens.size(), 2U);
}

TEST_F(ApplyTest, TheSameTokenWithAnotherEndIsCorrected) {
  MemberRecord record = member_with_pair();
  const Applied applied =
      take(record, CallKind::kRefresh, test::refreshed("access-1", kT0 + 2h), 2);
  EXPECT_EQ(applied.progress, Progress::kSame);
  EXPECT_THAT(applied.change.put, ElementsAre(TokenId{1}));
  EXPECT_EQ(find_token(record, "access-1")->expires_at, kT0 + 2h);
}

TEST_F(ApplyTest, ASupersededTokenThatComesBackIsCurrentAgain) {
  MemberRecord record = member_with_pair();
  record.tokens.push_back(access_token(3, "access-0", TokenStatus::kSuperseded));
  EXPECT_EQ(take(record, CallKind::kRefresh, test::refreshed("access-0", kT0 + 1h), 2).progress,
            Progress::kSame);
  expect_token(record, "access-0", TokenStatus::kCurrent, kNow);
  expect_token(record, "access-1", TokenStatus::kSuperseded, kNow);
}

TEST_F(ApplyTest, ARenewalRevokesTheRefreshTokenThatDiffers) {
  MemberRecord record = member_with_pair();
  take(record, CallKind::kIssue, test::issued("access-2", "refresh-2", kNow));
  expect_token(record, "refresh-1", TokenStatus::kRevoking, kNow);
  expect_token(record, "refresh-2", TokenStatus::kCurrent, kNow);
  expect_token(record, "access-1", TokenStatus::kSuperseded, kNow);
  EXPECT_EQ(record.renew_not_before, WallTime{});
}

TEST_F(ApplyTest, ARenewalWithTheSameEndIsNotRepeatedBefore) {
  MemberRecord record = member_with_pair();
  Issued same = test::issued("access-2", "refresh-1", kNow);
  same.pair.refresh_expires_at = kT0 + days{31};
  EXPECT_TRUE(take(record, CallKind::kIssue, same).change.row);
  EXPECT_EQ(record.renew_not_before, kT0 + days{31});
  expect_token(record, "refresh-1", TokenStatus::kCurrent, kT0);
  // Again the same: nothing more to write. One that differs: renewals go on.
  same.pair.access.value = make_secret("access-3");
  EXPECT_FALSE(take(record, CallKind::kIssue, same).change.row);
  same.pair.refresh_expires_at += days{31};
  EXPECT_TRUE(take(record, CallKind::kIssue, same).change.row);
  EXPECT_EQ(record.renew_not_before, WallTime{});
}

// The member is back, but the call was made before it left.
TEST_F(ApplyTest, P4WhatACallFromBeforeARetirementBringsIsRevoked) {
  MemberRecord record = member_with_pair();
  const auto late = [&](CallKind call, const Outcome& outcome) {
    return apply(record, call, TokenId{2}, outcome, kNow, ids, Use::kRevoke).progress;
  };
  EXPECT_EQ(late(CallKind::kRefresh, test::refreshed("access-2", kNow + 1h)), Progress::kUnusable);
  EXPECT_EQ(late(CallKind::kIssue, test::issued("access-3", "refresh-3", kNow)),
            Progress::kUnusable);
  for (const char* token : {"access-2", "access-3", "refresh-3"}) {
    expect_token(record, token, TokenStatus::kRevoking, kNow);
  }
}

TEST_F(ApplyTest, P4ATokenThatIsToBeRevokedStaysSoWhoeverBringsItAgain) {
  MemberRecord record = member_with_pair();
  for (Token& token : record.tokens) token.status = TokenStatus::kRevoking;
  EXPECT_EQ(take(record, CallKind::kRefresh, test::refreshed("access-1", kNow + 1h)).progress,
            Progress::kUnusable);
  EXPECT_EQ(take(record, CallKind::kIssue, test::issued("access-1", "refresh-1", kNow)).progress,
            Progress::kUnusable);
  expect_token(record, "access-1", TokenStatus::kRevoking, kT0);
  expect_token(record, "refresh-1", TokenStatus::kRevoking, kT0);
  EXPECT_EQ(take(record, CallKind::kIssue, test::issued("access-2", "refresh-1", kNow)).progress,
            Progress::kRotated);
  expect_token(record, "access-2", TokenStatus::kCurrent, kNow);
  expect_token(record, "refresh-1", TokenStatus::kRevoking, kT0);
}

TEST_F(ApplyTest, WhatArrivesForALeaverIsRevoked) {
  for (const auto state : {kRetiring, kRetired, kBlocked}) {
    MemberRecord record = member_with_pair(state);
    EXPECT_EQ(take(record, CallKind::kRefresh, test::refreshed("access-2", kNow + 1h), 2).progress,
              Progress::kUnusable);
    expect_token(record, "access-2", TokenStatus::kRevoking, kNow);
    take(record, CallKind::kIssue, test::issued("access-3", "refresh-3", kNow));
    expect_token(record, "access-3", TokenStatus::kRevoking, kNow);
    expect_token(record, "refresh-3", TokenStatus::kRevoking, kNow);
    EXPECT_EQ(record.state, state);
  }
}

TEST_F(ApplyTest, ARefreshedTokenNeverRevivesAMismatchedMember) {
  MemberRecord record = member_with_pair(kMismatched);
  take(record, CallKind::kRefresh, test::refreshed("access-2", kNow + 1h), 2);
  EXPECT_EQ(record.state, kMismatched);
  EXPECT_EQ(current(record, TokenKind::kAccess), nullptr);
}

TEST_F(ApplyTest, AnIssueFindsAnUnknownMember) {
  MemberRecord record = test::member(1, kUnknown, "id:42");
  EXPECT_EQ(take(record, CallKind::kIssue, test::issued("a", "r", kNow)).progress,
            Progress::kRotated);
  EXPECT_EQ(record.state, kActive);
  expect_token(record, "a", TokenStatus::kCurrent, kNow);
}

TEST_F(ApplyTest, AnotherIdentityIsNotServedNotRevokedAndRemembered) {
  struct Case {
    const char* what;
    std::int64_t circle_id, community;
  };
  for (const auto& [what, circle_id, community] :
       {Case{"another member", 43, 1}, Case{"another community", 42, 2}}) {
    MemberRecord record = member_with_pair();
    Issued other = test::issued("theirs", "their-refresh", kNow, circle_id);
    other.pair.community_id = community;
    EXPECT_EQ(take(record, CallKind::kIssue, other).progress, Progress::kMismatched) << what;
    EXPECT_EQ(record.state, kMismatched) << what;
    EXPECT_EQ(record.community_member_id, 42) << what;
    EXPECT_EQ(record.community_id, 1) << what;
    expect_token(record, "theirs", TokenStatus::kSuperseded, kNow);
    expect_token(record, "their-refresh", TokenStatus::kSuperseded, kNow);
    EXPECT_TRUE(housekeep(record, 5min, kNow + 10min).empty()) << what;
  }
  MemberRecord by_id = test::member(1, kActive, "id:7");
  EXPECT_EQ(take(by_id, CallKind::kIssue, test::issued("a", "r", kNow, 8)).progress,
            Progress::kMismatched);
  EXPECT_EQ(by_id.community_member_id, std::nullopt);
}

TEST_F(ApplyTest, OutcomesThatSayNothingChangeNothing) {
  for (const Outcome& outcome :
       {Outcome{AppTokenRefused{}}, Outcome{NotEligible{}}, Outcome{Throttled{}},
        Outcome{test::transient(TransientReason::kNotSent)},
        Outcome{test::transient(TransientReason::kNoReply)},
        Outcome{test::transient(TransientReason::kUnclearReply)},
        Outcome{test::transient(TransientReason::kUnclear401)},
        Outcome{test::transient(TransientReason::kServerError)}}) {
    for (const auto state : {kActive, kRetiring, kRetired, kBlocked, kUnknown, kMismatched}) {
      for (const auto call : {CallKind::kIssue, CallKind::kRefresh, CallKind::kRevokeRefresh,
                              CallKind::kRevokeAccess}) {
        MemberRecord record = member_with_pair(state);
        const Applied applied = take(record, call, outcome, 2);
        EXPECT_EQ(applied.progress, Progress::kNothing) << name_of(outcome);
        EXPECT_TRUE(applied.change.empty()) << name_of(outcome);
        EXPECT_EQ(record.state, state) << name_of(outcome);
        EXPECT_EQ(record.tokens.size(), 2U) << name_of(outcome);
      }
    }
  }
}

TEST_F(ApplyTest, ADeadRefreshTokenIsErasedAndTheAccessTokenStays) {
  MemberRecord record = member_with_pair();
  const Applied applied = take(record, CallKind::kRefresh, RefreshTokenDead{}, 2);
  EXPECT_EQ(applied.progress, Progress::kPairLost);
  EXPECT_THAT(applied.change.erased, ElementsAre(TokenId{2}));
  EXPECT_EQ(find_token(record, "refresh-1"), nullptr);
  expect_token(record, "access-1", TokenStatus::kCurrent, kT0);
}

TEST_F(ApplyTest, CirclesWordThatATokenIsDeadErasesExactlyThatToken) {
  for (const Outcome& outcome : {Outcome{Revoked{}}, Outcome{AlreadyDead{}}}) {
    MemberRecord record = member_with_pair(kRetiring);
    const Applied applied = take(record, CallKind::kRevokeRefresh, outcome, 2);
    EXPECT_EQ(applied.progress, Progress::kRevocation);
    EXPECT_THAT(applied.change.erased, ElementsAre(TokenId{2}));
    EXPECT_EQ(record.tokens.size(), 1U);
    expect_token(record, "access-1", TokenStatus::kRevoking, kT0);
  }
}

TEST_F(ApplyTest, P4ARemovedMembersTokenIsRememberedUntilCircleKnowsTheMemberAgain) {
  MemberRecord record = member_with_pair(kRetiring);
  const Applied gone = take(record, CallKind::kRevokeAccess, MemberGone{}, 1);
  EXPECT_EQ(gone.progress, Progress::kMemberGone);
  EXPECT_THAT(gone.change.put, ElementsAre(TokenId{1}));
  EXPECT_THAT(gone.change.erased, ElementsAre());
  expect_token(record, "access-1", TokenStatus::kMemberGone, kNow);
  expect_token(record, "refresh-1", TokenStatus::kRevoking, kT0);

  MemberRecord blocked = record;
  blocked.state = kBlocked;
  enter(blocked, LifecycleEvent::kOperatorRevokes, kNow + 1s);
  expect_token(blocked, "access-1", TokenStatus::kRevoking, kNow + 1s);

  MemberRecord back = record;
  back.state = kActive;
  EXPECT_THAT(take(back, CallKind::kIssue, MemberUnknown{}).change.put, ElementsAre());
  take(back, CallKind::kIssue, test::issued("access-2", "refresh-2", kNow));
  expect_token(back, "access-1", TokenStatus::kRevoking, kNow);
  expect_token(back, "access-2", TokenStatus::kCurrent, kNow);

  const RecordChange over = housekeep(record, std::nullopt, kT0 + 1h + kLedgerSlack);
  EXPECT_THAT(over.erased, ElementsAre(TokenId{1})) << "its life is over";
}

TEST_F(ApplyTest, MemberUnknownMovesOnlyAnActiveMember) {
  for (const auto state : {kActive, kRetiring, kRetired, kBlocked, kUnknown, kMismatched}) {
    MemberRecord record = member_with_pair(state);
    const Applied applied = take(record, CallKind::kIssue, MemberUnknown{});
    EXPECT_EQ(applied.progress, Progress::kUnknown);
    EXPECT_EQ(record.state, state == kActive ? kUnknown : state);
    EXPECT_EQ(applied.change.row, state == kActive);
    EXPECT_EQ(record.tokens.size(), 2U) << "its tokens stay on the ledger";
  }
}

TEST_F(ApplyTest, LeavingSendsEveryTokenToRevocation) {
  for (const auto event : {LifecycleEvent::kDropped, LifecycleEvent::kOperatorRevokes}) {
    MemberRecord record = member_with_pair();
    record.tokens.push_back(access_token(3, "access-0", TokenStatus::kSuperseded));
    record.selectors.front().in_roster = event != LifecycleEvent::kDropped;
    const RecordChange change = enter(record, event, kNow);
    EXPECT_TRUE(change.row);
    EXPECT_EQ(record.state_since, kNow);
    EXPECT_THAT(change.put, UnorderedElementsAre(TokenId{1}, TokenId{2}, TokenId{3}));
    for (const Token& token : record.tokens) EXPECT_EQ(token.status, TokenStatus::kRevoking);
    EXPECT_TRUE(enter(record, event, kNow + 1s).empty());
  }
}

TEST_F(ApplyTest, HousekeepingWalksItsBoundaries) {
  struct Case {
    const char* what;
    TokenStatus status;
    Duration after;  // kT0, when the token was issued
    bool erased, revoking;
  };
  for (const Case& c : {
           Case{"current is never dropped", TokenStatus::kCurrent, 5h, false, false},
           Case{"superseded, too new", TokenStatus::kSuperseded, 5min - 1ms, false, false},
           Case{"superseded long enough", TokenStatus::kSuperseded, 5min, false, true},
           Case{"past its end, within the slack", TokenStatus::kRevoking, 1h + kLedgerSlack - 1ms,
                false, true},
           Case{"past the slack", TokenStatus::kRevoking, 1h + kLedgerSlack, true, false},
           Case{"superseded past the slack", TokenStatus::kSuperseded, 1h + kLedgerSlack, true,
                false},
       }) {
    MemberRecord record = test::member(1, kActive, "id:42", {access_token(1, "a", c.status)});
    const RecordChange change = housekeep(record, 5min, kT0 + c.after);
    EXPECT_EQ(change.erased.size(), c.erased ? 1U : 0U) << c.what;
    EXPECT_EQ(record.tokens.empty(), c.erased) << c.what;
    if (c.erased) continue;
    EXPECT_EQ(record.tokens.front().status == TokenStatus::kRevoking, c.revoking) << c.what;
    EXPECT_EQ(change.put.size(), c.revoking && c.status != TokenStatus::kRevoking ? 1U : 0U)
        << c.what;
  }
  MemberRecord never =
      test::member(1, kActive, "id:42", {access_token(1, "a", TokenStatus::kSuperseded)});
  EXPECT_TRUE(housekeep(never, std::nullopt, kT0 + 59min).empty());
}

}  // namespace
}  // namespace rota
