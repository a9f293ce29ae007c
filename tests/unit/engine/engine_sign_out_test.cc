#include <gtest/gtest.h>

#include <string>

#include "tests/unit/engine/engine_box.h"

// Sign-outs: a member's access tokens end, and the member stays.
namespace rota::test {
namespace {

OperationEnd end_of(const EngineBox& box, OperatorId op) {
  const Result<OperatorReport>* report = box.report_of(op);
  return report == nullptr || !report->has_value() ? OperationEnd::kRunning : (*report)->end;
}

TEST(EngineSignOut, NothingOfBeforeIsServedFromTheRequestOn) {
  EngineBox box = box_with_grace();
  ASSERT_EQ(box.served(kGraceKey), "access-1");
  const OperatorId op = box.operate(kGraceKey, OperatorAction::kSignOut);
  EXPECT_EQ(box.served(kGraceKey), "") << "though nothing is durable yet";
  box.commit_fail();
  EXPECT_EQ(box.served(kGraceKey), "");
  box.run_for(10s);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  EXPECT_EQ(end_of(box, op), OperationEnd::kSignedOut);
  ASSERT_EQ((*box.report_of(op))->revocations.size(), 1U);
  EXPECT_EQ((*box.report_of(op))->revocations[0].result, "revoked");
  const MemberSlot& grace = box.slot(kGraceKey);
  EXPECT_EQ(grace.record.state, MemberState::kActive);
  EXPECT_NE(find_token(grace.record, "refresh-1"), nullptr) << "no client has seen it: it stays";
}

TEST(EngineSignOut, NothingThatIsBeingCommittedShowsATokenOfBefore) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  box.reply(box.newest_call(), refreshed("access-2", box.circle() + 1h));
  ASSERT_TRUE(box.commit_pending());
  box.operate(kGraceKey, OperatorAction::kSignOut);
  box.commit_ok();
  EXPECT_EQ(box.served(kGraceKey), "");
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "");
}

TEST(EngineSignOut, WhatACallOfBeforeBringsIsRevoked) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  const command::Call refresh = box.newest_call();
  const OperatorId op = box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  box.reply(refresh, refreshed("access-2", box.circle() + 1h));
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(find_token(box.slot(kGraceKey).record, "access-2")->status, TokenStatus::kRevoking);
  EXPECT_EQ(find_token(box.slot(kGraceKey).record, "refresh-1")->status, TokenStatus::kCurrent);
  EXPECT_EQ(end_of(box, op), OperationEnd::kRunning);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  EXPECT_EQ(end_of(box, op), OperationEnd::kSignedOut);
}

TEST(EngineSignOut, TheNextWaitGetsAFreshTokenOnceTheOldOneIsDead) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  const WaitId wait = box.wait(1);
  box.settle();
  ASSERT_EQ(box.newest_call().request.kind, CallKind::kRevokeAccess);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

TEST(EngineSignOut, NobodyAsksAndNoCallIsMade) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  const std::size_t calls = box.calls.size();
  box.run_for(2h);
  EXPECT_EQ(box.calls.size(), calls);
  EngineBox again = box.restarted(1s);
  again.start();
  again.run_for(1h);
  EXPECT_TRUE(again.calls.empty()) << "a restart does not forget it";
}

TEST(EngineSignOut, AWaitThatGoesOnGetsAFreshToken) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  const command::Call refresh = box.newest_call();
  const WaitId wait = box.wait(1, 30s, fingerprint_of("access-1"));
  box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  box.reply(refresh, refreshed("access-2", box.circle() + 1h));
  box.settle();
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.reply_last(CallKind::kRefresh, refreshed("access-3", box.circle() + 1h));
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "access-3");
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
}

TEST(EngineSignOut, OnceInTenSeconds) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  const OperatorId same = box.operate(kGraceKey, OperatorAction::kSignOut);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  EXPECT_EQ(end_of(box, same), OperationEnd::kSignedOut) << "nothing new has come since";
  box.wait(1);
  box.settle();
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  box.settle();
  const OperatorId early = box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  EXPECT_EQ(end_of(box, early), OperationEnd::kSignedOutLately);
  box.run_for(kSignOutGap);
  box.operate(kGraceKey, OperatorAction::kSignOut);
  EXPECT_EQ(box.served(kGraceKey), "");
}

TEST(EngineSignOut, P7ManySignOutsGoBehindTheRefreshes) {
  Policy policy = exact_policy();
  policy.requests_per_window = 40;
  std::vector<MemberRecord> members;
  for (int id = 1; id <= 10; ++id) {
    members.push_back(member(id, MemberState::kActive, "id:" + std::to_string(id)));
    members.back().community_member_id = id;
    members.back().community_id = 1;
    members.back().tokens = {access_token(2 * id, "access-" + std::to_string(id)),
                             refresh_token((2 * id) + 1, "refresh-" + std::to_string(id))};
  }
  EngineBox box(snapshot_of(std::move(members)), policy);
  box.start();
  for (int id = 1; id <= 10; ++id) {
    box.operate("id:" + std::to_string(id), OperatorAction::kSignOut);
  }
  std::size_t urgent = 0;
  for (int id = 1; id <= 10; ++id) {
    urgent += box.slot("id:" + std::to_string(id)).hurries_revocations ? 1 : 0;
  }
  EXPECT_EQ(urgent, 4U) << "a tenth of the budget";
}

TEST(EngineSignOut, TheLoginEpochIsDrawnAnew) {
  EngineBox box = box_with_grace();
  const LoginEpoch first = box.slot(kGraceKey).record.login_epoch;
  EXPECT_NE(first, LoginEpoch{});
  const OperatorId raised = box.operate(kGraceKey, OperatorAction::kRevokeHandle, "user:web");
  box.settle();
  EXPECT_EQ(end_of(box, raised), OperationEnd::kHandleRevoked);
  EXPECT_EQ(box.slot(kGraceKey).record.handles,
            (std::vector<HandleCount>{{.holder = "user:web", .number = 1}}));
  box.operate(kGraceKey, OperatorAction::kSignOut);
  const LoginEpoch second = box.slot(kGraceKey).record.login_epoch;
  EXPECT_NE(second, first);
  EXPECT_TRUE(box.slot(kGraceKey).record.handles.empty());
  box.operate(kGraceKey, OperatorAction::kRevoke);
  EXPECT_NE(box.slot(kGraceKey).record.login_epoch, second);
  box.settle();
  EXPECT_EQ(box.durable.find_member(MemberId{1})->login_epoch,
            box.slot(kGraceKey).record.login_epoch);
}

}  // namespace
}  // namespace rota::test
