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

// Grace signs out, and the next client that asks gets "access-2", which lives so long.
void sign_out_and_fetch(EngineBox& box, Duration life) {
  box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.wait(1);
  box.settle();
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + life));
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

// A login may outlive the token that came with it.
TEST(EngineSignOut, ALoginSinceTheLastSignOutDiesThoughItsTokenIsGone) {
  EngineBox box = box_with_grace();
  sign_out_and_fetch(box, 1h);
  ASSERT_EQ(box.served(kGraceKey), "access-2");
  const LoginEpoch of_login = box.durable.find_member(MemberId{1})->login_epoch;
  box.operate(kGraceKey, OperatorAction::kRevokeToken, {}, fingerprint_of("access-2"));
  box.settle();
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  const OperatorId again = box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  EXPECT_EQ(end_of(box, again), OperationEnd::kSignedOut);
  EXPECT_NE(box.durable.find_member(MemberId{1})->login_epoch, of_login);
}

// What the client of a token revocation names it by.
OperatorId revoke_token(EngineBox& box, std::string_view access) {
  return box.operate(kGraceKey, OperatorAction::kRevokeToken, {}, fingerprint_of(access));
}

TEST(EngineTokenRevocation, P4OnlyThisTokenDiesAndTheLoginsStay) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kRevokeHandle, "user:web");
  box.settle();
  const MemberRecord before = box.slot(kGraceKey).record;
  const OperatorId op = revoke_token(box, "access-1");
  EXPECT_EQ(box.served(kGraceKey), "") << "though nothing is durable yet";
  box.settle();
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  EXPECT_EQ(end_of(box, op), OperationEnd::kTokenRevoked);
  ASSERT_EQ((*box.report_of(op))->revocations.size(), 1U);
  EXPECT_EQ((*box.report_of(op))->revocations[0].result, "revoked");
  EXPECT_EQ(box.slot(kGraceKey).record.login_epoch, before.login_epoch);
  EXPECT_EQ(box.slot(kGraceKey).record.handles, before.handles);
  EXPECT_NE(find_token(box.slot(kGraceKey).record, "refresh-1"), nullptr);
  const std::size_t calls = box.calls.size();
  box.run_for(2h);
  EXPECT_EQ(box.calls.size(), calls) << "nobody asks for the next one";
  const WaitId wait = box.wait(1);
  box.settle();
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

TEST(EngineTokenRevocation, ATokenThatWasReplacedIsRevokedToo) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  box.reply(box.newest_call(), refreshed("access-2", box.circle() + 1h));
  box.settle();
  const OperatorId op = revoke_token(box, "access-1");
  EXPECT_EQ(box.served(kGraceKey), "access-2") << "the others keep theirs";
  box.settle();
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  EXPECT_EQ(end_of(box, op), OperationEnd::kTokenRevoked);
  EXPECT_EQ(find_token(box.slot(kGraceKey).record, "access-1"), nullptr);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
  EXPECT_EQ(box.slot(kGraceKey).record.signed_out_at, WallTime{});
}

TEST(EngineTokenRevocation, P4ATokenWhoseSuccessorIsNotDurableIsServedNoMore) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  box.reply(box.newest_call(), refreshed("access-2", box.circle() + 1h));
  ASSERT_TRUE(box.commit_pending());
  ASSERT_EQ(box.served(kGraceKey), "access-1");
  revoke_token(box, "access-1");
  EXPECT_EQ(box.served(kGraceKey), "");
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

// It leaves and comes back while the store is busy: its record has its token revoked, and the table
// still shows it.
void leave_and_come_back(EngineBox& box) {
  box.operate(kGraceKey, OperatorAction::kEndEnrolment, "user:web");
  ASSERT_TRUE(box.commit_pending());
  box.enrol(kGraceKey, {.longest = Duration{0}});
}

EngineBox box_with_enrolled_grace() {
  EngineBox box;
  box.start();
  box.settle();
  box.enrol(kGraceKey);
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  return box;
}

TEST(EngineTokenRevocation, P4ATokenThatIsRevokedAlreadyAndStillShownIsServedNoMore) {
  EngineBox box = box_with_enrolled_grace();
  leave_and_come_back(box);
  ASSERT_EQ(box.served(kGraceKey), "access-1");
  revoke_token(box, "access-1");
  EXPECT_EQ(box.served(kGraceKey), "");
}

TEST(EngineSignOut, P4OneSoonAfterAnotherTakesWhatIsStillShown) {
  EngineBox box = box_with_enrolled_grace();
  box.run_for(1min);
  sign_out_and_fetch(box, 1h);
  box.settle();
  leave_and_come_back(box);
  ASSERT_EQ(box.served(kGraceKey), "access-2");
  box.operate(kGraceKey, OperatorAction::kSignOut);
  EXPECT_EQ(box.served(kGraceKey), "");
}

TEST(EngineTokenRevocation, P4ASignOutSoonAfterAnotherKnowsATokenWhoseSuccessorWasGivenBack) {
  EngineBox box = box_with_grace();
  box.run_for(1min);
  sign_out_and_fetch(box, 8s);
  box.run_for(5s);
  box.reply_last(CallKind::kRefresh, refreshed("access-3", box.circle() + 1h));
  box.settle();
  revoke_token(box, "access-3");
  box.settle();
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  ASSERT_EQ(find_token(box.slot(kGraceKey).record, "access-2")->status, TokenStatus::kSuperseded);
  const OperatorId again = box.operate(kGraceKey, OperatorAction::kSignOut);
  box.settle();
  EXPECT_EQ(end_of(box, again), OperationEnd::kSignedOutLately) << "access-2 is alive";
}

TEST(EngineTokenRevocation, WhatIsNotOnRecordOrHasEndedIsNoSuchToken) {
  EngineBox box = box_with_grace();
  const OperatorId foreign = revoke_token(box, "access-9");
  const OperatorId refresh = revoke_token(box, "refresh-1");
  EXPECT_FALSE(box.commit_pending()) << "junk costs no write";
  box.settle();
  EXPECT_EQ(end_of(box, foreign), OperationEnd::kNoSuchToken);
  EXPECT_EQ(end_of(box, refresh), OperationEnd::kNoSuchToken);
  EXPECT_EQ(box.served(kGraceKey), "access-1");
  box.run_for(50min);
  box.reply(box.newest_call(), refreshed("access-2", box.circle() + 1h));
  box.settle();
  box.run_for(10min);
  const OperatorId ended = revoke_token(box, "access-1");
  box.settle();
  EXPECT_EQ(end_of(box, ended), OperationEnd::kNoSuchToken);
}

TEST(EngineTokenRevocation, ATokenThatWasDeadAtCircleIsNoSuchToken) {
  for (const Outcome& outcome : {Outcome{AlreadyDead{}}, Outcome{MemberGone{}}}) {
    EngineBox box = box_with_grace();
    const OperatorId op = revoke_token(box, "access-1");
    box.reply_last(CallKind::kRevokeAccess, outcome);
    EXPECT_EQ(end_of(box, op), OperationEnd::kNoSuchToken) << name_of(outcome);
  }
}

TEST(EngineTokenRevocation, OneThatALostCallMayHaveRevokedIsRevoked) {
  EngineBox box = box_with_grace();
  const OperatorId op = revoke_token(box, "access-1");
  box.reply_last(CallKind::kRevokeAccess, transient(TransientReason::kNoReply));
  box.run_for(20s);
  box.reply_last(CallKind::kRevokeAccess, AlreadyDead{});
  EXPECT_EQ(end_of(box, op), OperationEnd::kTokenRevoked);
}

TEST(EngineTokenRevocation, WhoAsksAgainMeanwhileWaitsForTheSameCall) {
  EngineBox box = box_with_grace();
  const OperatorId first = revoke_token(box, "access-1");
  box.settle();
  const OperatorId second = revoke_token(box, "access-1");
  box.settle();
  EXPECT_EQ(end_of(box, second), OperationEnd::kRunning);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  EXPECT_EQ(end_of(box, first), OperationEnd::kTokenRevoked);
  EXPECT_EQ(end_of(box, second), OperationEnd::kTokenRevoked);
  const OperatorId third = revoke_token(box, "access-1");
  box.settle();
  EXPECT_EQ(end_of(box, third), OperationEnd::kNoSuchToken) << "as Circle says";
}

TEST(EngineTokenRevocation, ItIsDoneAcrossARestart) {
  EngineBox box = box_with_grace();
  revoke_token(box, "access-1");
  box.settle();
  EngineBox again = box.restarted(1s);
  again.start();
  again.settle();
  EXPECT_EQ(again.served(kGraceKey), "");
  again.reply_last(CallKind::kRevokeAccess, Revoked{});
  EXPECT_EQ(find_token(again.slot(kGraceKey).record, "access-1"), nullptr);
}

TEST(EngineTokenRevocation, WhatARefreshOfBeforeBringsIsServed) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  const command::Call refresh = box.newest_call();
  revoke_token(box, "access-1");
  box.settle();
  box.reply(refresh, refreshed("access-2", box.circle() + 1h));
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "access-2") << "only the other token was given back";
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
}

TEST(EngineTokenRevocation, P4ARefreshOfBeforeThatBringsTheSameTokenDoesNotServeIt) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  const command::Call refresh = box.newest_call();
  revoke_token(box, "access-1");
  box.settle();
  box.reply(refresh, refreshed("access-1", box.circle() + 10min));
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(find_token(box.slot(kGraceKey).record, "access-1")->status, TokenStatus::kRevoking);
}

TEST(EngineTokenRevocation, P7OneThatRevokesEachNewTokenGetsOneInTenSeconds) {
  EngineBox box = box_with_grace();
  std::string access = "access-1";
  std::size_t given = 0;
  for (int second = 0; second < 60; ++second) {
    revoke_token(box, access);
    box.settle();
    const WaitId wait = box.wait(1);
    box.settle();
    for (const command::Call& call : box.open_calls()) {
      if (call.request.kind == CallKind::kRevokeAccess) box.reply(call, Revoked{});
    }
    box.settle();
    for (const command::Call& call : box.open_calls()) {
      ASSERT_EQ(call.request.kind, CallKind::kRefresh);
      access = "access-" + std::to_string(++given + 1);
      box.reply(call, refreshed(access, box.circle() + 1h));
    }
    box.settle();
    (void)wait;
    box.run_for(1s);
  }
  EXPECT_EQ(given, 6U);
}

}  // namespace
}  // namespace rota::test
