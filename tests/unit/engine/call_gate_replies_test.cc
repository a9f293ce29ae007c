// What replies mean for the calls to come. A call's life, room and budget: call_gate_test.cc.

#include "engine/call_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/engine/gate_box.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::GateBox;
using test::kT0;
using test::no_reply;
using testing::ElementsAre;

using News = CallGate::BreakerNews;
using DeadNews = DeadArrivals::News;

// --- Pauses ---

TEST(CallGateTest, P7APauseThatCircleAsksForHoldsBackAllLanes) {
  GateBox box;
  const auto heard = box.hear(Throttled{.after = 7s});
  ASSERT_TRUE(heard.pause);
  EXPECT_EQ(heard.pause->length, 7s);
  EXPECT_TRUE(heard.pause->is_first);
  EXPECT_EQ(heard.pause->until, box.now + 7s);
  EXPECT_EQ(box.gate.held_back_until(box.now), box.now + 7s);
  for (const Lane lane : kLanes) {
    EXPECT_FALSE(box.may_send(lane));
    EXPECT_GE(box.earliest(lane), box.now + 7s);
  }
  box.now += 7s;
  EXPECT_TRUE(box.may_send(Lane::kWaiting));
  EXPECT_EQ(box.gate.held_back_until(box.now), box.now);
}

TEST(CallGateTest, P7AfterAPauseThereIsOneCallAtATimeUntilOneIsAnswered) {
  GateBox box;
  box.hear(Throttled{.after = 7s});
  box.now += 7s;
  const CallId probe = box.send();
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
  EXPECT_FALSE(box.earliest(Lane::kWaiting)) << "not before its reply";
  box.reply(probe, Revoked{});
  box.send();
  EXPECT_TRUE(box.may_send(Lane::kWaiting));
}

TEST(CallGateTest, P7PausesThatNobodyAskedForDoubleUpToHalfAMinute) {
  GateBox box;
  std::vector<Duration> lengths;
  for (int i = 0; i < 6; ++i) {
    const auto heard = box.hear(Throttled{});
    lengths.push_back(heard.pause.value().length);
    box.now = heard.pause->until.value();
  }
  EXPECT_THAT(lengths, ElementsAre(2s, 4s, 8s, 16s, 30s, 30s));
}

TEST(CallGateTest, OnlyAReplyThatSettlesSomethingEndsTheDoubling) {
  GateBox box;
  box.now = box.hear(Throttled{}).pause.value().until.value();
  box.hear(no_reply());
  const auto second = box.hear(Throttled{}).pause.value();
  EXPECT_EQ(second.length, 4s) << "no reply says nothing";
  box.now = second.until.value();
  box.hear(AlreadyDead{});
  EXPECT_EQ(box.hear(Throttled{}).pause.value().length, 2s);
}

TEST(CallGateTest, AServerErrorMayAskForAPauseToo) {
  GateBox box;
  EXPECT_FALSE(box.hear(test::transient(TransientReason::kServerError)).pause);
  Transient busy = test::transient(TransientReason::kServerError);
  busy.after = 3s;
  EXPECT_EQ(box.hear(busy).pause.value().until, box.now + 3s);
}

TEST(CallGateTest, OfSeveralCallsHitAtOnceTheFirstAloneIsAnnouncedAndDoubles) {
  GateBox box;
  const std::vector<CallId> calls{box.send(), box.send(), box.send()};
  EXPECT_TRUE(box.reply(calls[0], Throttled{}).pause.value().is_first);
  const auto second = box.reply(calls[1], Throttled{}).pause.value();
  EXPECT_FALSE(second.is_first);
  EXPECT_FALSE(second.until) << "the pause ends when it did before";
  const auto third = box.reply(calls[2], Throttled{.after = 20s}).pause.value();
  EXPECT_FALSE(third.is_first);
  EXPECT_EQ(third.until, box.now + 20s) << "it lasts longer";
  box.now += 20s;
  EXPECT_EQ(box.hear(Throttled{}).pause.value().length, 4s);
}

TEST(CallGateTest, P7APauseOfAnEarlierRunGoesOn) {
  GateBox box;
  box.gate.pause_until(box.now + 9s);
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
  EXPECT_EQ(box.earliest(Lane::kWaiting), box.now + 9s);
}

// --- The breaker ---

TEST(CallGateTest, P8FailuresOfSeveralMembersOpenTheBreaker) {
  GateBox box;
  EXPECT_EQ(box.hear(no_reply(), 1).breaker, News::kNone);
  EXPECT_EQ(box.hear(no_reply(), 2).breaker, News::kNone);
  EXPECT_EQ(box.hear(no_reply(), 3).breaker, News::kOpened);
  EXPECT_EQ(box.hear(no_reply(), 4).breaker, News::kNone) << "no news";
  EXPECT_EQ(box.gate.breaker().state(), BreakerState::kFailing);
  EXPECT_FALSE(box.gate.refused_as_a_whole());
  EXPECT_EQ(box.hear(Revoked{}).breaker, News::kClosed);
}

TEST(CallGateTest, P8AnOpenBreakerLetsOneProbeThroughAtATime) {
  GateBox box;
  box.hear(AppTokenRefused{});
  const BootTime probe_at = box.gate.breaker().probe_at(false).value();
  EXPECT_FALSE(box.may_send(Lane::kRefresh));
  EXPECT_EQ(box.earliest(Lane::kRefresh), probe_at);
  EXPECT_EQ(box.earliest(Lane::kWaiting), box.gate.breaker().probe_at(true));
  EXPECT_EQ(box.gate.held_back_until(box.now), probe_at);
  box.now = probe_at;
  EXPECT_TRUE(box.may_send(Lane::kRefresh));
  box.send(Lane::kRefresh);
  EXPECT_FALSE(box.may_send(Lane::kRefresh));
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
}

TEST(CallGateTest, P8EachReasonIsAnAlarmOnceUntilAllIsWell) {
  GateBox box;
  EXPECT_EQ(box.hear(AppTokenRefused{}).breaker, News::kOpened);
  EXPECT_TRUE(box.gate.refused_as_a_whole());
  EXPECT_EQ(box.hear(AppTokenRefused{}).breaker, News::kNone);
  EXPECT_EQ(box.hear(NotEligible{}).breaker, News::kOpened) << "another reason";
  EXPECT_TRUE(box.gate.refused_as_a_whole());
  EXPECT_EQ(box.hear(AppTokenRefused{}).breaker, News::kOpenedAgain);
  EXPECT_EQ(box.hear(Revoked{}).breaker, News::kClosed);
  EXPECT_FALSE(box.gate.refused_as_a_whole());
  EXPECT_EQ(box.hear(AppTokenRefused{}).breaker, News::kOpened) << "all was well meanwhile";
}

TEST(CallGateTest, TroubleIsSeenAtTheFirstFailureAndOverAtTheFirstSuccess) {
  GateBox box;
  EXPECT_FALSE(box.gate.trouble());
  box.hear(no_reply());
  ASSERT_TRUE(box.gate.trouble());
  EXPECT_EQ(box.gate.trouble()->since, kT0) << "on Circle's clock";
  box.hear(Revoked{});
  EXPECT_FALSE(box.gate.trouble());
}

// --- A new app token ---

TEST(CallGateTest, P8ANewAppTokenClosesTheBreakerThatTheOldOneOpened) {
  GateBox box;
  EXPECT_FALSE(box.gate.new_app_token()) << "it was closed";
  box.hear(AppTokenRefused{});
  EXPECT_TRUE(box.gate.new_app_token());
  EXPECT_EQ(box.gate.breaker().state(), BreakerState::kClosed);
  EXPECT_FALSE(box.gate.trouble()) << "what the old one met says nothing";
  EXPECT_EQ(box.hear(AppTokenRefused{}).breaker, News::kOpened) << "an alarm of the new one";
}

TEST(CallGateTest, P8ANewAppTokenDoesNotMendAFailingUpstream) {
  GateBox box;
  for (const int member : {1, 2, 3}) box.hear(no_reply(), member);
  EXPECT_FALSE(box.gate.new_app_token());
  EXPECT_EQ(box.gate.breaker().state(), BreakerState::kFailing);
}

TEST(CallGateTest, P8ARefusalOfTheOldAppTokenSaysNothingAboutTheNewOne) {
  for (const Outcome& refusal : {Outcome{AppTokenRefused{}}, Outcome{NotEligible{}}}) {
    GateBox box;
    const CallId old = box.send();
    box.gate.new_app_token();
    EXPECT_EQ(box.reply(old, refusal).breaker, News::kNone);
    EXPECT_EQ(box.gate.breaker().state(), BreakerState::kClosed);
    EXPECT_FALSE(box.gate.trouble());
  }
}

TEST(CallGateTest, P8ASuccessOfTheOldAppTokenDoesNotCloseTheBreakerOfTheNewOne) {
  GateBox box;
  const CallId old = box.send();
  box.gate.new_app_token();
  box.hear(AppTokenRefused{});
  EXPECT_EQ(box.reply(old, Revoked{}).breaker, News::kNone);
  EXPECT_EQ(box.gate.breaker().state(), BreakerState::kAppTokenRefused);
}

TEST(CallGateTest, WhatIsNotAboutTheAppTokenCountsWithTheOldOneToo) {
  GateBox box;
  std::vector<CallId> old;
  for (const int member : {1, 2, 3, 4}) {
    old.push_back(box.send(Lane::kWaiting, CallKind::kRefresh, member));
  }
  box.gate.new_app_token();
  EXPECT_TRUE(box.reply(old[0], Throttled{.after = 7s}).pause);
  box.reply(old[1], no_reply());
  box.reply(old[2], no_reply());
  EXPECT_EQ(box.reply(old[3], no_reply()).breaker, News::kOpened);
}

TEST(CallGateTest, ACallGoesByTheAppTokenThatItWasSentWith) {
  GateBox box;
  const CallId id = box.open();
  box.gate.new_app_token();
  box.gate.send(box.gate.at(id), box.now);
  EXPECT_EQ(box.reply(id, AppTokenRefused{}).breaker, News::kOpened);
}

// --- Tokens that are dead on arrival ---

TEST(CallGateTest, DeadArrivalsHoldBackWhatBringsTokensOneAtATimeAndNothingElse) {
  GateBox box;
  EXPECT_EQ(box.arrived(1, true).news, DeadNews::kFirst);
  EXPECT_EQ(box.arrived(2, true).news, DeadNews::kNone);
  EXPECT_TRUE(box.may_send(Lane::kRefresh));
  EXPECT_EQ(box.arrived(3, true).news, DeadNews::kAlarm);
  EXPECT_FALSE(box.may_send(Lane::kRefresh));
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
  EXPECT_TRUE(box.may_send(Lane::kRevocation));
  const BootTime probe_at = box.gate.dead_arrivals().probe_at();
  EXPECT_EQ(box.earliest(Lane::kWaiting), probe_at);
  EXPECT_EQ(box.earliest(Lane::kRevocation), box.now);
  box.now = probe_at;
  box.send(Lane::kRevocation, CallKind::kRevokeAccess);
  EXPECT_TRUE(box.may_send(Lane::kRefresh)) << "a revocation is no probe";
  box.send(Lane::kRefresh);
  EXPECT_FALSE(box.may_send(Lane::kRefresh));
}

TEST(CallGateTest, ATokenThatLivesReleasesTheCalls) {
  GateBox box;
  for (const int member : {1, 2, 3}) EXPECT_FALSE(box.arrived(member, true).released);
  EXPECT_TRUE(box.arrived(1, false).released);
  EXPECT_TRUE(box.may_send(Lane::kRefresh));
  EXPECT_FALSE(box.arrived(2, false).released) << "nothing was held back any more";
  EXPECT_EQ(box.arrived(3, false).news, DeadNews::kOver);
}

TEST(CallGateTest, AMemberThatIsWantedNoMoreCountsAsDeadNoMore) {
  GateBox box;
  for (const int member : {1, 2, 3}) box.arrived(member, true);
  box.gate.forget_arrival(MemberId{1});
  EXPECT_EQ(box.gate.dead_arrivals().members(), 2U);
  box.gate.forget_arrivals();
  EXPECT_EQ(box.gate.dead_arrivals().members(), 0U);
  EXPECT_TRUE(box.may_send(Lane::kRefresh));
}

}  // namespace
}  // namespace rota
