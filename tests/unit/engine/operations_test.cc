#include "engine/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rota {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr OperatorId kOp{1};
constexpr BootTime kStart{100s};
constexpr MemberId kAda{1};
constexpr MemberId kGrace{2};

class OperationsTest : public testing::Test {
 protected:
  void begin(OperatorAction action, std::initializer_list<MemberId> members, OperatorId op = kOp) {
    operations.begin(op, action, kStart);
    for (const MemberId member : members) operations.add(op, member);
  }
  bool complete(MemberId member, OperationEnd end, std::int64_t doubts = 0,
                MemberState state = MemberState::kActive) {
    return operations.complete(kOp, member, state, doubts, end);
  }

  Operations operations;
};

TEST_F(OperationsTest, NoneIsUnderWayAtFirst) {
  EXPECT_FALSE(operations.first_deadline());
  EXPECT_THAT(operations.over(kStart, true), IsEmpty());
}

TEST_F(OperationsTest, ACommandIsAboutItsMembersUntilTheirPartsAreOver) {
  begin(OperatorAction::kRevoke, {kAda, kGrace});
  EXPECT_EQ(operations.action_of(kOp), OperatorAction::kRevoke);
  EXPECT_THAT(operations.members_of(kOp), ElementsAre(kAda, kGrace));
  EXPECT_FALSE(complete(kAda, OperationEnd::kRevoked)) << "another one is not done yet";
  EXPECT_THAT(operations.members_of(kOp), ElementsAre(kGrace));
  EXPECT_TRUE(complete(kGrace, OperationEnd::kRevoked));
}

TEST_F(OperationsTest, TheReportHasTheEndTheStateAndAllDoubts) {
  begin(OperatorAction::kRevoke, {kAda, kGrace});
  complete(kAda, OperationEnd::kRevoked, 2);
  complete(kGrace, OperationEnd::kRevoked, 3, MemberState::kBlocked);
  const OperatorReport report = operations.take(kOp);
  EXPECT_EQ(report.end, OperationEnd::kRevoked);
  EXPECT_EQ(report.state, MemberState::kBlocked);
  EXPECT_EQ(report.doubts, 5);
  EXPECT_FALSE(operations.first_deadline()) << "it is under way no more";
}

TEST_F(OperationsTest, TheRevocationOfATokenIsAboutThatOne) {
  operations.begin(kOp, OperatorAction::kRevokeToken, kStart, 7);
  operations.add(kOp, kAda);
  EXPECT_EQ(operations.token_of(kOp), 7U);
  operations.note_revocation(kOp, TokenKind::kAccess, 8, "revoked", false);
  operations.note_revocation(kOp, TokenKind::kRefresh, 7, "revoked", false);
  operations.note_revocation(kOp, TokenKind::kAccess, 7, "revoked", false);
  complete(kAda, OperationEnd::kTokenRevoked);
  const OperatorReport report = operations.take(kOp);
  ASSERT_EQ(report.revocations.size(), 1U);
  EXPECT_EQ(report.revocations[0].fingerprint, 7U);
}

TEST_F(OperationsTest, OneMemberThatIsNotDoneMakesTheWholeCommandSo) {
  for (const bool not_done_first : {true, false}) {
    begin(OperatorAction::kRotate, {kAda, kGrace});
    complete(kAda, not_done_first ? OperationEnd::kTimedOut : OperationEnd::kRotated);
    complete(kGrace, not_done_first ? OperationEnd::kRotated : OperationEnd::kTimedOut);
    EXPECT_EQ(operations.take(kOp).end, OperationEnd::kTimedOut) << not_done_first;
  }
}

TEST_F(OperationsTest, ACommandAboutNobodyEndsAtOnceAndOnce) {
  begin(OperatorAction::kRevoke, {});
  EXPECT_TRUE(operations.complete_if_empty(kOp, OperationEnd::kNobody));
  EXPECT_FALSE(operations.complete_if_empty(kOp, OperationEnd::kNobody))
      << "its report is on its way";
  EXPECT_EQ(operations.take(kOp).end, OperationEnd::kNobody);
}

TEST_F(OperationsTest, ACommandAboutSomebodyIsNotEmpty) {
  begin(OperatorAction::kRevoke, {kAda});
  EXPECT_FALSE(operations.complete_if_empty(kOp, OperationEnd::kNobody));
  complete(kAda, OperationEnd::kRevoked);
  EXPECT_FALSE(operations.complete_if_empty(kOp, OperationEnd::kNobody)) << "it was about somebody";
  EXPECT_EQ(operations.take(kOp).end, OperationEnd::kRevoked);
}

TEST_F(OperationsTest, TheDeadlineHoldsForARunningCommandAndForOneThatWaitsForTheDisk) {
  EXPECT_EQ(kOperationMax, 30s);
  begin(OperatorAction::kRevoke, {kAda});
  operations.begin(OperatorId{2}, OperatorAction::kRotate, kStart + 1s);
  operations.add(OperatorId{2}, kGrace);
  complete(kAda, OperationEnd::kRevoked);
  EXPECT_EQ(operations.first_deadline(), kStart + 30s);
  EXPECT_THAT(operations.over(kStart + 30s - 1ms, false), IsEmpty());
  EXPECT_THAT(operations.over(kStart + 30s, false), ElementsAre(kOp));
  EXPECT_THAT(operations.over(kStart + 31s, false), ElementsAre(kOp, OperatorId{2}));
  operations.take(kOp);
  EXPECT_EQ(operations.first_deadline(), kStart + 31s);
}

TEST_F(OperationsTest, AStopEndsWhatStillRunsAndWaitsForTheDiskWithTheRest) {
  begin(OperatorAction::kRevoke, {kAda});
  begin(OperatorAction::kRotate, {kGrace}, OperatorId{2});
  complete(kAda, OperationEnd::kRevoked);
  EXPECT_THAT(operations.over(kStart, true), ElementsAre(OperatorId{2}));
  EXPECT_THAT(operations.over(kStart + 30s, true), ElementsAre(kOp, OperatorId{2}));
}

TEST_F(OperationsTest, P2WhatIsDoneButNotDurableAtTheDeadlineSaysSo) {
  begin(OperatorAction::kRevoke, {kAda});
  complete(kAda, OperationEnd::kRevoked);
  operations.give_up_on_disk(kOp);
  EXPECT_EQ(operations.take(kOp).end, OperationEnd::kNotDurable);
}

TEST_F(OperationsTest, ACommandThatStillRunsAtTheDeadlineIsNotReportedAsNotDurable) {
  begin(OperatorAction::kRevoke, {kAda});
  operations.give_up_on_disk(kOp);
  EXPECT_TRUE(complete(kAda, OperationEnd::kTimedOut));
  EXPECT_EQ(operations.take(kOp).end, OperationEnd::kTimedOut);
}

TEST_F(OperationsTest, OfEachRevokedTokenTheLastWordCounts) {
  begin(OperatorAction::kRevoke, {kAda});
  operations.note_revocation(kOp, TokenKind::kAccess, 7, "pending", true);
  operations.note_revocation(kOp, TokenKind::kRefresh, 7, "pending", true);
  operations.note_revocation(kOp, TokenKind::kAccess, 8, "pending", true);
  operations.note_revocation(kOp, TokenKind::kAccess, 7, "revoked", false);
  const auto lines = operations.take(kOp).revocations;
  ASSERT_EQ(lines.size(), 3U) << "a token is its kind and its fingerprint";
  EXPECT_EQ(lines[0].kind, TokenKind::kAccess) << "in the order of their first word";
  EXPECT_EQ(lines[0].fingerprint, Fingerprint{7});
  EXPECT_EQ(lines[0].result, "revoked");
  EXPECT_FALSE(lines[0].alive);
  EXPECT_EQ(lines[1].kind, TokenKind::kRefresh);
  EXPECT_EQ(lines[1].result, "pending");
  EXPECT_TRUE(lines[1].alive);
  EXPECT_EQ(lines[2].fingerprint, Fingerprint{8});
}

TEST_F(OperationsTest, OnlyARevocationReportsTokens) {
  for (const auto action : {OperatorAction::kRotate, OperatorAction::kReinstate}) {
    begin(action, {kAda});
    operations.note_revocation(kOp, TokenKind::kAccess, 7, "revoked", false);
    EXPECT_THAT(operations.take(kOp).revocations, IsEmpty());
  }
}

TEST_F(OperationsTest, ACommandFollowsAMerge) {
  begin(OperatorAction::kRotate, {kAda});
  EXPECT_TRUE(operations.rename(kOp, kAda, kGrace));
  EXPECT_THAT(operations.members_of(kOp), ElementsAre(kGrace));
  EXPECT_TRUE(complete(kGrace, OperationEnd::kRotated));
}

TEST_F(OperationsTest, ACommandAboutBothOfAMergeIsAboutTheOneThatStaysOnce) {
  begin(OperatorAction::kRotate, {kAda, kGrace});
  EXPECT_FALSE(operations.rename(kOp, kAda, kGrace));
  EXPECT_THAT(operations.members_of(kOp), ElementsAre(kGrace));
  EXPECT_TRUE(complete(kGrace, OperationEnd::kRotated)) << "it is the last one";
}

}  // namespace
}  // namespace rota
