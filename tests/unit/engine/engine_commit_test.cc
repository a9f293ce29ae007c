#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "report/health.h"
#include "support/memory_store.h"
#include "tests/support/outline.h"
#include "tests/unit/engine/engine_box.h"

// P2 and P3 in the engine: what leaves it, and when. EngineBox itself checks every command against
// what is durable at that moment; here is the order of one member's events.
namespace rota::test {
namespace {

using testing::SizeIs;

TEST(EngineCommit, P3NothingIsCalledBeforeTheJournalRowIsDurable) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  ASSERT_TRUE(box.commit_pending());
  EXPECT_THAT(box.calls, SizeIs(0));
  EXPECT_THAT(box.reloads, SizeIs(0));
  EXPECT_EQ(box.table.size(), 0U);
  box.commit_ok();
  ASSERT_THAT(box.calls, SizeIs(1));
  EXPECT_EQ(box.calls.front().request.kind, CallKind::kIssue);
  EXPECT_EQ(box.calls.front().request.member.text(), kGraceKey);
  EXPECT_EQ(box.calls.front().request.token, nullptr);
  EXPECT_THAT(box.reloads, SizeIs(1));
  EXPECT_EQ(box.durable.open_calls(), 1U);
}

TEST(EngineCommit, P2ATokenIsPublishedAndItsWaiterAnsweredOnlyAfterTheCommit) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  box.settle();
  const WaitId wait = box.wait(1);
  box.reply(box.oldest_call(), issued("access-1", "refresh-1", box.circle()));
  ASSERT_TRUE(box.commit_pending());
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.commit_ok();
  EXPECT_EQ(box.served(kGraceKey), "access-1");
  EXPECT_EQ(box.served("id:42"), "access-1") << "its Circle id is a key too";
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_EQ(box.durable.find_token("refresh-1")->status, TokenStatus::kCurrent);
  EXPECT_EQ(box.durable.open_calls(), 0U);
}

// Where Circle has nothing better before the end, the last moments of a token are served too, if
// the commit that the answer waits for leaves any.
TEST(EngineCommit, P2AWaitGoesOnWhenItsTokenEndsDuringTheCommit) {
  Snapshot snapshot = snapshot_of({member_with_pair()});
  snapshot.meta.early_refresh_useless = true;
  EngineBox box(std::move(snapshot), exact_policy(),
                {.wall = kT0 + 1h - 1500ms, .boot = BootTime{Duration{10'000'000}}});
  box.start();
  box.settle();
  box.roster({entry(kGraceKey), entry("email:ada@example.com")});
  ASSERT_TRUE(box.commit_pending());
  const WaitId wait = box.wait(1);
  box.advance(1s);
  box.commit_ok();
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.settle();
  box.run_for(1s);
  const command::Call call = box.newest_call();
  ASSERT_EQ(call.request.kind, CallKind::kRefresh);
  box.reply(call, refreshed("access-2", box.circle() + 1h), box.circle());
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

TEST(EngineCommit, P2AFailedCommitIsTriedAgainUnchangedAndWhatCameAfterItWaits) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  const auto first = outline_of(*box.pending);
  box.commit_fail();
  EXPECT_EQ(box.told("commit"), 1U);
  ASSERT_TRUE(box.engine.outbox().error());
  box.roster({entry(kGraceKey), entry("email:ada@example.com")});
  EXPECT_FALSE(box.commit_pending()) << "not before its backoff";
  EXPECT_THAT(box.calls, SizeIs(0));
  box.advance(*box.engine.next_wake(box.now) - box.now.boot);
  ASSERT_TRUE(box.commit_pending());
  EXPECT_EQ(outline_of(*box.pending), first) << "the same batch, though more has gathered";
  box.commit_fail();
  EXPECT_EQ(box.told("commit"), 1U) << "said once";
  box.advance(5s);
  ASSERT_TRUE(box.commit_pending());
  EXPECT_EQ(outline_of(*box.pending), first);
  box.commit_ok();
  EXPECT_THAT(box.calls, SizeIs(1)) << "the call of the first batch, and no other";
  EXPECT_EQ(box.slot("email:ada@example.com").record.selectors.size(), 1U);
  EXPECT_EQ(box.table.find("email:ada@example.com"), nullptr) << "its batch is not durable yet";
  box.settle();
  EXPECT_THAT(box.calls, SizeIs(2));
  EXPECT_THAT(box.failed_reloads, SizeIs(2)) << "told at once, not when the disk has room again";
  EXPECT_THAT(box.reloads, SizeIs(0));
  EXPECT_EQ(box.told("commit"), 2U) << "and once that it is over";
  EXPECT_FALSE(box.engine.outbox().error());
}

// The failed commit had taken effect all the same. Two entries become one member in the batch.
TEST(EngineCommit, P2ABatchThatForgetsAMemberCanBeAppliedTwice) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("sso:grace")});
  box.settle();
  box.operate("sso:grace", OperatorAction::kRevoke);
  box.settle();
  box.reply(box.newest_call(), issued("access-2", "refresh-1", box.circle()));
  ASSERT_TRUE(box.commit_pending());
  MemoryStore store;
  std::vector<Mutation> before;
  const Snapshot found = box.durable.snapshot();
  for (const MemberRecord& record : found.members) {
    before.emplace_back(PutMember{record});
    for (const Token& token : record.tokens) before.emplace_back(PutToken{record.id, token});
  }
  ASSERT_TRUE(store.commit(before));
  for (int time = 1; time <= 2; ++time) {
    const auto done = store.commit(*box.pending);
    ASSERT_TRUE(done) << time << ": " << done.error().message;
    EXPECT_THAT(store.load()->members, SizeIs(1)) << time;
  }
}

// What an operator waits for is reported once the store takes commits again.
TEST(EngineCommit, P4AReportOutlivesAFailedCommit) {
  EngineBox box = box_with_grace();
  const OperatorId revoked = box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.reply(box.oldest_call(), Revoked{});
  const OperatorId reinstated = box.operate(kGraceKey, OperatorAction::kReinstate);
  box.commit_fail();
  box.advance(5s);
  ASSERT_TRUE(box.commit_pending());
  box.commit_fail();
  EXPECT_EQ(box.report_of(revoked), nullptr);
  box.advance(5s);
  box.settle();
  for (const OperatorId op : {revoked, reinstated}) {
    ASSERT_NE(box.report_of(op), nullptr);
    EXPECT_TRUE(is_success((*box.report_of(op))->end));
  }
}

TEST(EngineCommit, P2WhatGathersWhileACommitRunsIsTheNextBatch) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  box.roster({entry(kGraceKey), entry("email:ada@example.com")});
  EXPECT_THAT(box.reloads, SizeIs(0));
  box.commit_ok();
  EXPECT_THAT(box.reloads, SizeIs(1));
  EXPECT_THAT(box.calls, SizeIs(1));
  ASSERT_TRUE(box.commit_pending());
  box.commit_ok();
  EXPECT_THAT(box.reloads, SizeIs(2));
  EXPECT_THAT(box.calls, SizeIs(2));
}

TEST(EngineCommit, P2AClientThatComesWhileTheNewTokenIsBeingCommittedGetsThatToken) {
  EngineBox box = box_with_grace();
  box.advance(2h);
  box.settle();
  box.reply(box.oldest_call(), refreshed("access-2", box.circle() + 1h));
  const WaitId wait = box.wait(1);  // the table still has the old token
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.commit_ok();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
  box.run_for(1min);
  EXPECT_TRUE(box.open_calls().empty()) << "no forced refresh for it";
}

TEST(EngineCommit, P2AWaitEndsInTimeWhileTheStoreFails) {
  EngineBox box = box_with_grace();
  box.advance(50min);
  box.settle();
  const WaitId alive = box.wait(1, 10s, std::nullopt, false, 30min);
  const WaitId refused = box.wait(1, 10s, fingerprint_of("access-1"));
  const WaitId strict = box.wait(1, 10s, std::nullopt, true, 30min);
  box.reply(box.oldest_call(), transient(TransientReason::kNoReply));
  box.commit_fail();
  for (int i = 0; i < 20; ++i) {
    box.advance(1s);
    if (box.commit_pending()) box.commit_fail();
  }
  EXPECT_EQ(box.answer_of(alive), WaitResult::kServe) << "the durable token is alive";
  EXPECT_EQ(box.answer_of(refused), WaitResult::kUnavailable);
  EXPECT_EQ(box.answer_of(strict), WaitResult::kUnavailable);
}

// P11: clients that come and go while the store takes nothing leave nothing behind.
TEST(EngineCommit, P11AnswersToWaitsThatAreOverDoNotPileUp) {
  EngineBox box = box_with_grace();
  box.advance(2h);
  box.settle();
  box.reply(box.oldest_call(), refreshed("access-2", box.circle() + 1h));
  box.commit_fail();
  std::vector<WaitId> gone;
  for (int i = 0; i < 100; ++i) {
    gone.push_back(box.wait(1, 1s));
    if (i % 2 == 0) box.engine.on_wait_cancelled(gone.back());
  }
  for (int i = 0; i < 40; ++i) {
    box.advance(1s);
    if (box.commit_pending()) box.commit_fail();
  }
  EXPECT_EQ(box.engine.waits(), 0U);
  EXPECT_EQ(box.engine.outbox().held_back(), 0U);
  const WaitId last = box.wait(1, 30s);
  EXPECT_EQ(box.engine.outbox().held_back(), 1U);
  box.advance(5s);
  box.settle();
  EXPECT_EQ(box.answer_of(last), WaitResult::kServe);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

TEST(EngineCommit, P2ARefusalNeedsNoCommitAndADoneDeedIsToldAsNotOnDiskYet) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  const OperatorId reinstated = box.operate(kGraceKey, OperatorAction::kReinstate);
  box.commit_fail();
  const OperatorId refused = box.operate("id:99", OperatorAction::kRevoke);
  ASSERT_NE(box.report_of(refused), nullptr);
  EXPECT_FALSE(box.report_of(refused)->has_value());
  EXPECT_EQ(box.report_of(reinstated), nullptr);
  for (int i = 0; i < 40; ++i) {
    box.advance(1s);
    if (box.commit_pending()) box.commit_fail();
  }
  ASSERT_NE(box.report_of(reinstated), nullptr);
  EXPECT_FALSE(is_success((*box.report_of(reinstated))->end));
  EXPECT_EQ(box.engine.outbox().held_back(), 0U);
}

// The watchdog goes by this: a disk that hangs, and a loop that does not come to its timer.
TEST(EngineCommit, P2ACommitThatNeverEndsOrATickThatNeverComesIsStuck) {
  EngineBox box = box_with_grace();
  EXPECT_FALSE(box.engine.is_stuck(box.now));
  const Now much_later{.wall = box.now.wall + 3h, .boot = box.now.boot + 3h};
  EXPECT_TRUE(box.engine.is_stuck(much_later)) << "a refresh was due an hour ago";
  box.advance(2h);
  ASSERT_TRUE(box.commit_pending());
  EXPECT_FALSE(box.engine.is_stuck(box.now)) << "as after a suspend: it goes on at once";
  box.advance(Engine::kCommitHungMax);
  EXPECT_FALSE(box.engine.is_stuck(box.now));
  box.advance(1ms);
  EXPECT_TRUE(box.engine.is_stuck(box.now));
  EXPECT_FALSE(health_of(box.engine, {}, box.now).commit_problem.empty());
  box.commit_ok();
  EXPECT_FALSE(box.engine.is_stuck(box.now));
  EXPECT_TRUE(health_of(box.engine, {}, box.now).commit_problem.empty());
}

TEST(EngineCommit, P2ARefusedTokenIsNotGivenAgainWhileItsSuccessorIsNotDurable) {
  EngineBox box = box_with_grace();
  box.advance(50min);
  box.settle();
  const WaitId refuses = box.wait(1, 10s, fingerprint_of("access-1"));
  box.reply(box.oldest_call(), refreshed("access-2", box.circle() + 1h));
  for (int i = 0; i < 11; ++i) {
    if (box.commit_pending()) box.commit_fail();
    box.advance(1s);
  }
  EXPECT_EQ(box.served(kGraceKey), "access-1");
  EXPECT_EQ(box.answer_of(refuses), WaitResult::kUnavailable);
}

TEST(EngineCommit, P2AnOperatorIsToldInTimeWhileTheStoreFails) {
  EngineBox box = box_with_grace();
  const OperatorId op = box.operate(kGraceKey, OperatorAction::kRevoke);
  for (int i = 0; i < 40; ++i) {
    if (box.commit_pending()) box.commit_fail();
    box.advance(1s);
  }
  ASSERT_NE(box.report_of(op), nullptr);
  ASSERT_TRUE(box.report_of(op)->has_value());
  EXPECT_FALSE(is_success((*box.report_of(op))->end));
  EXPECT_EQ(box.served(kGraceKey), "access-1") << "served as long as the retirement is not durable";
}

TEST(EngineCommit, P2ACallThatIsNotWantedAfterItsCommitIsNotSent) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  box.roster({entry(kGraceKey, true)});
  box.settle();
  EXPECT_THAT(box.calls, SizeIs(0));
  EXPECT_EQ(box.durable.open_calls(), 0U);
  EXPECT_EQ(box.engine.budget().used(box.now.boot), 0U) << "its slot is given back";
  EXPECT_EQ(box.engine.journal().doubts(), 0U);
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kRetired);
}

TEST(EngineCommit, P2AStopLetsTheCallInFlightFinishAndCommit) {
  EngineBox box = box_with_grace();
  box.advance(50min);
  box.settle();
  const WaitId wait = box.wait(1, 60s, fingerprint_of("access-1"));
  box.stop();
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnavailable);
  EXPECT_FALSE(box.engine.drained());
  box.reply(box.oldest_call(), refreshed("access-2", box.circle() + 1h));
  EXPECT_FALSE(box.engine.drained());
  box.settle();
  EXPECT_TRUE(box.engine.drained());
  EXPECT_NE(box.durable.find_token("access-2"), nullptr);
  box.run_for(24h);
  EXPECT_THAT(box.calls, SizeIs(2)) << "no call after the stop";
}

}  // namespace
}  // namespace rota::test
