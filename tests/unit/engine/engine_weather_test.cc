#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// What a simulated month brought up: clocks that are wrong, commits that take their time, refused
// tokens, and names that change hands.
namespace rota::test {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::SizeIs;

TEST(EngineWeather, AWaitEndsInTimeThoughItsAnswerIsInACommitThatDoesNotEnd) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  box.settle();
  const WaitId wait = box.wait(1, 10s);
  box.reply(box.oldest_call(), issued("access-1", "refresh-1", box.circle()));
  ASSERT_TRUE(box.commit_pending());
  box.advance(10s);
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe)
      << "the table has nothing: the session says so";
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_THAT(box.answers, SizeIs(1));
  box.commit_ok();
  EXPECT_EQ(box.engine.waits(), 0U);
}

// The member's next call is planned for later than the end of the wait, but may come sooner: a wait
// lasts as long as was asked for.
TEST(EngineWeather, AShortWaitLastsItsTimeWhileCallsFail) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1")});
  box.settle();
  box.wait(1, 60s);
  for (int failures = 0; failures < 4; ++failures) {
    while (box.open_calls().empty()) box.run_for(1s);
    box.reply(box.oldest_call(), transient(TransientReason::kNoReply));
    box.settle();
  }
  const WaitId wait = box.wait(1, 1s);
  box.settle();
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.advance(1s);
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnavailable);
  EXPECT_GE(box.answers.at(wait).retry_after, 1s);
  EXPECT_THAT(box.open_calls(), IsEmpty()) << "this test needs a call that is due later";
}

TEST(EngineWeather, ASecondReasonOfTheBreakerIsAnAlarmOfItsOwn) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1"), entry("id:2"), entry("id:3"), entry("id:4")});
  box.settle();
  box.run_for(2s);
  for (int i = 0; i < 3; ++i) {
    box.reply(box.oldest_call(), transient(TransientReason::kNoReply));
    box.settle();
  }
  ASSERT_EQ(box.engine.gate().breaker().state(), BreakerState::kFailing);
  while (box.open_calls().empty()) box.run_for(1s);
  const auto told = box.told("breaker");
  box.reply(box.oldest_call(), AppTokenRefused{});
  box.settle();
  EXPECT_EQ(box.engine.gate().breaker().state(), BreakerState::kAppTokenRefused);
  EXPECT_EQ(box.told("breaker"), told + 1);
}

TEST(EngineWeather, APauseThatCircleAskedForOutlivesAKill) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("id:7")});
  box.settle();
  box.reply(box.oldest_call(), Throttled{.after = 120s});
  box.settle();
  EngineBox again = box.restarted(1s);
  again.start();
  again.run_for(100s);
  EXPECT_THAT(again.open_calls(), IsEmpty());
  again.run_for(30s);
  EXPECT_THAT(again.open_calls(), SizeIs(1));
}

TEST(EngineWeather, SeveralCallsThatOne429HitArePausedForOnce) {
  EngineBox box;
  box.start();
  std::vector<RosterEntry> entries;
  for (int id = 1; id <= 8; ++id) entries.push_back(entry(fmt::format("id:{}", id)));
  box.roster(entries);
  box.settle();
  const auto calls = box.open_calls();
  ASSERT_THAT(calls, SizeIs(8));
  for (const auto& call : calls) box.reply(call, Throttled{});
  box.settle();
  EXPECT_EQ(box.engine.budget().paused_until(box.now.boot), box.now.boot + 2s);
}

TEST(EngineWeather, AClockThatRunsAheadAtAStartThrowsNothingAway) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey, true)});
  box.settle();
  ASSERT_NE(box.durable.find_token("access-1"), nullptr);
  EngineBox again = box.restarted(1s, 48h);
  again.start();
  again.run_for(1min);
  EXPECT_NE(again.durable.find_token("access-1"), nullptr) << "who knows whether it has ended";
  ASSERT_THAT(again.open_calls(), SizeIs(1));
  again.reply(again.oldest_call(), Revoked{}, kT0 + 1min);
  again.settle();
  EXPECT_EQ(again.oldest_call().request.kind, CallKind::kRevokeAccess);
}

TEST(EngineWeather, AfterARebootTheFirstCallIsMadeAtOnceForTheSakeOfCirclesClock) {
  EngineBox box = box_with_grace();
  EngineBox again = box.restarted(1s, -24h, BootId{2});
  again.start();
  again.settle();
  ASSERT_THAT(again.open_calls(), SizeIs(1)) << "fifty minutes before it is due";
  again.reply(again.oldest_call(), refreshed("access-2", kT0 + 3h), kT0 + 2h);
  again.settle();
  EXPECT_EQ(again.circle(), kT0 + 2h + 500ms);
  again.run_for(5min);
  EXPECT_THAT(again.open_calls(), IsEmpty()) << "once is enough";
}

TEST(EngineWeather, AMemberThatFailedOnAWrongClockIsTriedOnTheRightOne) {
  EngineBox box({}, exact_policy(), {.wall = kT0 + 48h, .boot = BootTime{Duration{10'000'000}}});
  box.start();
  box.roster({entry("id:1"), entry("id:2")});
  box.settle();
  const auto calls = box.open_calls();
  ASSERT_THAT(calls, SizeIs(2));
  box.reply(calls[0], transient(TransientReason::kUnclearReply));
  box.reply(calls[1], issued("access-2", "refresh-2", kT0, 2), kT0);  // two days back
  box.settle();
  box.run_for(5s);
  EXPECT_THAT(box.open_calls(), SizeIs(1)) << "its backoff was counted on the wrong clock";
}

TEST(EngineWeather, AStepOfTheWallClockMovesNothingOnceCircleHasAnswered) {
  EngineBox box = box_with_grace();
  const WallTime before = box.circle();
  box.set_wall_clock(-24h);
  EXPECT_EQ(box.circle(), before);
  box.settle();
  EXPECT_EQ(box.told("clock"), 1U);
  EXPECT_EQ(box.engine.clock().skew(box.now), 24h);
}

TEST(EngineWeather, BeforeThatTheClockThatWasSetIsTheBetterOne) {
  EngineBox box({}, exact_policy(), {.wall = kT0 - 24h, .boot = BootTime{Duration{10'000'000}}});
  box.start();
  box.set_wall_clock(24h);
  EXPECT_EQ(box.circle(), kT0);
}

TEST(EngineWeather, ARevocationThatWasOvertakenByItsRefreshTokensGoesAfterIt) {
  Policy policy = exact_policy();
  policy.revoke_superseded_after = 1min;
  EngineBox box = box_with_grace(policy);
  box.run_for(50min);
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  box.advance(1min);
  ASSERT_TRUE(box.commit_pending()) << "the journal row of the superseded token's revocation";
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  EXPECT_EQ(box.oldest_call().request.kind, CallKind::kRevokeRefresh);
  EXPECT_THAT(box.open_calls(), SizeIs(1));
}

TEST(EngineWeather, ARefusedTokenThatARefreshBringsAgainIsSettledByAnIssue) {
  EngineBox box = box_with_grace();
  box.run_for(1min);
  const WaitId wait = box.wait(1, 10s, fingerprint_of("access-1"));
  box.reply_last(CallKind::kRefresh, refreshed("access-1", kT0 + 1h));
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-1", box.circle()));
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

TEST(EngineWeather, ARefusalWithoutAWaitIsSettledInTheBackground) {
  EngineBox box = box_with_grace();
  box.run_for(1min);
  box.refused(1, "some other token");
  box.settle();
  EXPECT_THAT(box.open_calls(), IsEmpty());
  box.refused(1, "access-1");
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  EXPECT_EQ(box.served(kGraceKey), "access-2");
  box.refused(1, "access-2");
  box.settle();
  EXPECT_THAT(box.open_calls(), IsEmpty()) << "ten seconds apart";
  box.run_for(10s);
  EXPECT_THAT(box.open_calls(), SizeIs(1));
}

// An email that led to member 42 now leads to 43, who has an entry of its own.
EngineBox box_with_a_changed_email() {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("id:43")});
  box.reply_last(CallKind::kIssue, issued("access-43", "refresh-43", box.circle(), 43));
  box.advance(std::chrono::days{28} + 1h);
  box.settle();
  for (const auto& call : box.open_calls()) {
    const bool grace = call.request.member.text() == kGraceKey;
    if (call.request.kind == CallKind::kRefresh) {
      box.reply(call, refreshed(grace ? "access-2" : "access-44", box.circle() + 1h), box.circle());
    } else {
      box.reply(call, issued("access-44", "refresh-43", box.circle(), 43), box.circle());
    }
    box.settle();
  }
  for (const auto& call : box.open_calls()) {
    box.reply(call, issued("access-44", "refresh-43", box.circle(), 43), box.circle());
    box.settle();
  }
  return box;
}

TEST(EngineWeather, TokensThatTurnOutToBeAnothersGoToItsRecord) {
  EngineBox box = box_with_a_changed_email();
  ASSERT_EQ(box.slot(kGraceKey).record.state, MemberState::kMismatched);
  EXPECT_EQ(box.served("id:43"), "access-44");
  EXPECT_EQ(box.served(kGraceKey), "");
  // Its entry goes: what it shares with another is not revoked, what is its own is.
  box.roster({entry("id:43")});
  box.settle();
  for (const auto& call : box.open_calls()) {
    EXPECT_NE(call.request.token->reveal(), "refresh-43");
  }
  EXPECT_EQ(box.served("id:43"), "access-44");
}

TEST(EngineWeather, AnOperatorSettlesAMismatchWithAFreshPair) {
  EngineBox box = box_with_grace();
  box.advance(std::chrono::days{28} + 1h);
  box.settle();
  while (box.slot(kGraceKey).record.state == MemberState::kActive) {
    const auto call = box.oldest_call();
    if (call.request.kind == CallKind::kRefresh) {
      box.reply(call, refreshed("access-2", box.circle() + 1h), box.circle());
    } else {
      box.reply(call, issued("foreign", "foreign-refresh", box.circle(), 77), box.circle());
    }
    box.settle();
  }
  ASSERT_EQ(box.slot(kGraceKey).record.state, MemberState::kMismatched);
  box.operate(kGraceKey, OperatorAction::kReinstate);
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.community_member_id, std::nullopt);
  while (!box.open_calls().empty() && box.oldest_call().request.kind != CallKind::kIssue) {
    box.reply(box.oldest_call(), Revoked{}, box.circle());
    box.settle();
  }
  box.reply_last(CallKind::kIssue, issued("access-77", "refresh-77", box.circle(), 77));
  EXPECT_EQ(box.served(kGraceKey), "access-77");
  EXPECT_EQ(box.served("id:77"), "access-77");
  EXPECT_EQ(box.served("id:42"), "");
}

}  // namespace
}  // namespace rota::test
