#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/next_action.h"
#include "tests/unit/engine/engine_box.h"

// What operators ask for, and what they are told.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(EngineOperators, P4AnOperatorsRevocationOfARemovedMemberIsDoneAndAskedAnew) {
  EngineBox box = box_with_grace();
  const OperatorId op = box.operate(kGraceKey, OperatorAction::kRevoke);
  box.reply_last(CallKind::kRevokeRefresh, AlreadyDead{});
  box.reply_last(CallKind::kRevokeAccess, MemberGone{});
  ASSERT_NE(box.report_of(op), nullptr);
  const OperatorReport& report = **box.report_of(op);
  EXPECT_TRUE(is_success(report.end));
  ASSERT_THAT(report.revocations, SizeIs(2));
  for (const RevocationLine& line : report.revocations) {
    EXPECT_FALSE(line.alive);
    if (line.kind == TokenKind::kAccess) EXPECT_EQ(line.result, "member_gone");
  }
  // After a restart it is still on record, and an operator's word has it asked about at once.
  EngineBox again = box.restarted(1s);
  again.start();
  again.settle();
  EXPECT_THAT(again.open_calls(), IsEmpty());
  again.operate(kGraceKey, OperatorAction::kRevoke);
  again.reply_last(CallKind::kRevokeAccess, Revoked{});
  EXPECT_THAT(again.slot(kGraceKey).record.tokens, IsEmpty());
}

TEST(EngineOperators, AnOperatorsRevocationReportsEveryToken) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  const OperatorId op = box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kBlocked);
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  EXPECT_EQ(box.report_of(op), nullptr);
  box.reply_last(CallKind::kRevokeAccess, AlreadyDead{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  ASSERT_NE(box.report_of(op), nullptr);
  ASSERT_TRUE(box.report_of(op)->has_value());
  const OperatorReport& report = **box.report_of(op);
  EXPECT_TRUE(is_success(report.end));
  EXPECT_EQ(report.state, MemberState::kBlocked);
  ASSERT_THAT(report.revocations, SizeIs(3));
  for (const RevocationLine& line : report.revocations) {
    EXPECT_FALSE(line.alive);
    EXPECT_EQ(line.result,
              line.fingerprint == fingerprint_of("access-1") ? "already_dead" : "revoked");
  }
}

TEST(EngineOperators, AnOperatorsRevocationThatDragsOnSaysWhatIsStillAlive) {
  EngineBox box = box_with_grace();
  const OperatorId op = box.operate(kGraceKey, OperatorAction::kRevoke);
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.reply(box.oldest_call(), transient(TransientReason::kServerError));
  box.advance(30s);
  box.settle();
  ASSERT_NE(box.report_of(op), nullptr);
  const OperatorReport& report = **box.report_of(op);
  EXPECT_FALSE(is_success(report.end));
  ASSERT_THAT(report.revocations, SizeIs(2));
  for (const RevocationLine& line : report.revocations) {
    EXPECT_EQ(line.alive, line.kind == TokenKind::kAccess);
  }
}

TEST(EngineOperators, ABlockedMemberStaysOutUntilItIsReinstatedWithAFreshPair) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.roster({entry(kGraceKey), entry("id:7")});
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kBlocked) << "whatever the roster says";
  box.operate(kGraceKey, OperatorAction::kReinstate);
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kActive);
  const auto issues = [&box] {
    const auto open = box.open_calls();
    return std::ranges::any_of(open, [](const command::Call& call) {
      return call.request.kind == CallKind::kIssue && call.request.member.text() == kGraceKey;
    });
  };
  // Its old refresh token could not be revoked yet: no issue meanwhile, whoever waits.
  for (const auto& call : box.open_calls()) {
    if (call.request.kind == CallKind::kRevokeRefresh) {
      box.reply(call, transient(TransientReason::kServerError));
    }
  }
  box.settle();
  for (const auto& call : box.open_calls()) {
    if (call.request.kind == CallKind::kRevokeAccess) box.reply(call, Revoked{});
  }
  box.wait(1, 60s);
  box.settle();
  EXPECT_FALSE(issues());
  box.run_for(10s);
  EXPECT_FALSE(issues());
  for (const auto& call : box.open_calls()) {
    if (call.request.kind == CallKind::kRevokeRefresh) box.reply(call, Revoked{});
  }
  box.settle();
  EXPECT_TRUE(issues());
}

TEST(EngineOperators, OperatorsAreRefusedWhatIsNotPossible) {
  EngineBox box = box_with_grace();
  const OperatorId nobody = box.operate("id:99", OperatorAction::kRotate);
  const OperatorId active = box.operate(kGraceKey, OperatorAction::kReinstate);
  box.operate(kGraceKey, OperatorAction::kRevoke);
  const OperatorId blocked = box.operate(kGraceKey, OperatorAction::kRotate);
  box.settle();
  for (const OperatorId op : {nobody, active, blocked}) {
    ASSERT_NE(box.report_of(op), nullptr);
    ASSERT_FALSE(box.report_of(op)->has_value());
    EXPECT_EQ(box.report_of(op)->error().kind, ErrorKind::kInvalid);
  }
}

TEST(EngineOperators, ARotationIsReportedOnceTheTokenIsDurable) {
  EngineBox box = box_with_grace();
  box.run_for(20s);
  const OperatorId op = box.operate("id:42", OperatorAction::kRotate);
  box.settle();
  box.reply(box.oldest_call(), refreshed("access-2", box.circle() + 1h));
  EXPECT_EQ(box.report_of(op), nullptr);
  box.commit_ok();
  ASSERT_NE(box.report_of(op), nullptr);
  EXPECT_TRUE(is_success((*box.report_of(op))->end));
  EXPECT_EQ(box.slot(kGraceKey).rotations_asked, 0U);
}

OperationEnd end_of(const EngineBox& box, OperatorId op) {
  const auto* report = box.report_of(op);
  return report == nullptr || !report->has_value() ? OperationEnd::kRunning : (*report)->end;
}

// A box in which an operator rotates kGraceKey, and the call is under way.
struct Rotating {
  EngineBox box = box_with_grace();
  OperatorId op{};

  Rotating() {
    box.run_for(20s);
    op = box.operate(kGraceKey, OperatorAction::kRotate);
    box.settle();
    EXPECT_THAT(box.open_calls(), SizeIs(1));
  }
  OperationEnd end() const { return end_of(box, op); }
};

TEST(EngineOperators, ARotationEndsAsSoonAsCircleSaysThatItHasNoSuchMember) {
  Rotating grace;
  grace.box.reply(grace.box.oldest_call(), RefreshTokenDead{});
  grace.box.settle();
  EXPECT_EQ(grace.end(), OperationEnd::kRunning) << "a new pair may come";
  grace.box.reply(grace.box.oldest_call(), MemberUnknown{});
  EXPECT_EQ(grace.end(), OperationEnd::kRunning) << "the verdict is not durable";
  grace.box.settle();
  ASSERT_EQ(grace.end(), OperationEnd::kMemberUnknown);
  EXPECT_EQ((*grace.box.report_of(grace.op))->state, MemberState::kUnknown);
  EXPECT_EQ(grace.box.slot(kGraceKey).rotations_asked, 0U);
}

TEST(EngineOperators, P13ARotationEndsAsSoonAsItsNameLeadsToAnotherMember) {
  Rotating grace;
  grace.box.reply(grace.box.oldest_call(), RefreshTokenDead{});
  grace.box.settle();
  grace.box.reply(grace.box.oldest_call(), issued("access-9", "refresh-9", grace.box.circle(), 9));
  grace.box.settle();
  EXPECT_EQ(grace.end(), OperationEnd::kMemberMismatched);
}

TEST(EngineOperators, ARotationEndsOnceItsMemberIsOut) {
  Rotating blocked;
  blocked.box.operate(kGraceKey, OperatorAction::kRevoke);
  blocked.box.settle();
  EXPECT_EQ(blocked.end(), OperationEnd::kMemberOut);

  Rotating left;
  left.box.roster({entry(kGraceKey, true)});
  left.box.settle();
  EXPECT_EQ(left.end(), OperationEnd::kMemberOut);
}

TEST(EngineOperators, WhatCircleRefusesToEverybodyNoOperatorWaitsFor) {
  const std::pair<Outcome, OperationEnd> refusals[] = {
      {AppTokenRefused{}, OperationEnd::kAppTokenRefused},
      {NotEligible{}, OperationEnd::kNotEligible}};
  for (const auto& [refusal, end] : refusals) {
    for (const auto action :
         {OperatorAction::kRotate, OperatorAction::kRevoke, OperatorAction::kSignOut}) {
      EngineBox box = box_with_grace();
      box.run_for(20s);
      const OperatorId op = box.operate(kGraceKey, action);
      box.settle();
      box.reply(box.oldest_call(), refusal);
      box.settle();
      EXPECT_EQ(end_of(box, op), end) << static_cast<int>(action);
    }
  }
}

TEST(EngineOperators, P2WhatIsAskedWhileCircleRefusesEverybodyEndsOnceItIsDurable) {
  Rotating grace;
  EngineBox& box = grace.box;
  box.reply(box.oldest_call(), AppTokenRefused{});
  box.settle();
  const OperatorId op = box.revoke_all();
  EXPECT_EQ(end_of(box, op), OperationEnd::kRunning) << "the block is not durable";
  box.settle();
  ASSERT_EQ(end_of(box, op), OperationEnd::kAppTokenRefused);
  EXPECT_THAT((*box.report_of(op))->revocations, SizeIs(2));
  EXPECT_EQ((*box.report_of(op))->state, MemberState::kBlocked);
  // It goes on by itself.
  box.new_app_token();
  box.settle();
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  EXPECT_THAT(box.slot(kGraceKey).record.tokens, IsEmpty());
}

// Blocked before, and its revocation under way: it is one of those that revoke-all is about.
TEST(EngineOperators, P4RevokeAllIsNotDoneWhileABlockedMembersTokensLive) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  const OperatorId op = box.revoke_all();
  box.settle();
  EXPECT_EQ(box.report_of(op), nullptr);
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  EXPECT_EQ(box.report_of(op), nullptr) << "the access token lives";
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  ASSERT_NE(box.report_of(op), nullptr);
  EXPECT_TRUE(is_success((*box.report_of(op))->end));
  EXPECT_THAT((*box.report_of(op))->revocations, SizeIs(2));
}

TEST(EngineOperators, RevokeAllBlocksEveryMemberAndReportsOnce) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("id:7")});
  box.reply_last(CallKind::kIssue, issued("access-7", "refresh-7", box.circle(), 7));
  const OperatorId op = box.revoke_all();
  box.settle();
  for (const char* key : {"id:42", "id:7"}) EXPECT_EQ(box.served(key), "") << key;
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(box.report_of(op), nullptr);
    box.reply(box.oldest_call(), Revoked{});
    box.settle();
  }
  ASSERT_NE(box.report_of(op), nullptr);
  EXPECT_TRUE(is_success((*box.report_of(op))->end));
  EXPECT_THAT((*box.report_of(op))->revocations, SizeIs(4));

  EngineBox empty;
  empty.start();
  const OperatorId nobody = empty.revoke_all();
  empty.settle();
  ASSERT_NE(empty.report_of(nobody), nullptr);
  EXPECT_TRUE(is_success((*empty.report_of(nobody))->end));
}

}  // namespace
}  // namespace rota::test
