#include "plan/breaker.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;
using test::transient;

constexpr BootTime kNow{Duration{1'000'000}};

class BreakerTest : public testing::Test {
 protected:
  bool take(const Outcome& outcome, std::int64_t member, BootTime now = kNow) {
    return breaker.on_outcome(outcome, MemberId{member}, false, now, random);
  }
  bool take_urgent(const Outcome& outcome, std::int64_t member, BootTime now) {
    return breaker.on_outcome(outcome, MemberId{member}, true, now, random);
  }
  const Outcome failure = transient(TransientReason::kNoReply);
  Breaker breaker;
  Random random{1};
};

TEST_F(BreakerTest, P8ClosedLetsEverythingThrough) {
  EXPECT_TRUE(breaker.may_send(kNow, 1'000, false));
  EXPECT_EQ(breaker.probe_at(false), std::nullopt);
}

TEST_F(BreakerTest, P8OpensAtOnceOnWhatConcernsEveryMember) {
  struct Case {
    Outcome outcome;
    BreakerState state;
  };
  for (const auto& [outcome, state] : {Case{AppTokenRefused{}, BreakerState::kAppTokenRefused},
                                       Case{NotEligible{}, BreakerState::kNotEligible}}) {
    breaker = {};
    EXPECT_TRUE(take(outcome, 1));
    EXPECT_EQ(breaker.state(), state);
    EXPECT_FALSE(breaker.may_send(kNow, 0, false));
    EXPECT_FALSE(take(outcome, 2)) << "one alarm, not one for each member";
  }
}

TEST_F(BreakerTest, P8OneBadMemberAloneNeverOpensIt) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(take(failure, 1));
  EXPECT_FALSE(take(failure, 2));
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
}

TEST_F(BreakerTest, P8ThreeFailingMembersInARowOpenIt) {
  for (const auto reason : {TransientReason::kNotSent, TransientReason::kNoReply,
                            TransientReason::kUnclearReply, TransientReason::kUnclear401,
                            TransientReason::kServerError, TransientReason::kNotProcessed}) {
    breaker = {};
    EXPECT_FALSE(take(transient(reason), 1));
    EXPECT_FALSE(take(transient(reason), 2));
    EXPECT_TRUE(take(transient(reason), 3)) << name_of(reason);
    EXPECT_EQ(breaker.state(), BreakerState::kFailing);
  }
}

// They fail, and the calls of others work, again and again.
TEST_F(BreakerTest, P8MembersThatFailWhileOthersWorkAreKnownAndStopNobody) {
  constexpr int kBad = 6;
  const auto fail_all = [this] {
    for (int member = 1; member <= kBad; ++member) take(failure, member);
  };
  for (int spell = 0; spell < Breaker::kBadSpells; ++spell) {
    fail_all();
    EXPECT_EQ(breaker.state(), BreakerState::kFailing) << "it may be Circle";
    take(Revoked{}, 100);
  }
  fail_all();
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  take(failure, 101);
  take(failure, 102);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  EXPECT_TRUE(take(failure, 103)) << "three that were good until now";
}

TEST_F(BreakerTest, P8AMemberWhoseCallWorksIsGoodAgain) {
  for (int spell = 0; spell < Breaker::kBadSpells; ++spell) {
    for (int member = 1; member <= 3; ++member) take(failure, member);
    take(Revoked{}, 100);
  }
  for (int member = 1; member <= 3; ++member) take(Revoked{}, member);
  for (int member = 1; member <= 2; ++member) EXPECT_FALSE(take(failure, member));
  EXPECT_TRUE(take(failure, 3));
}

TEST_F(BreakerTest, P8VeryManyOpenItWhoeverTheyAre) {
  constexpr int kMany = static_cast<int>(Breaker::kFailingMax);
  for (int spell = 0; spell < Breaker::kBadSpells; ++spell) {
    for (int member = 1; member <= kMany; ++member) take(failure, member);
    take(Revoked{}, 1'000);
  }
  for (int member = 1; member < kMany; ++member) EXPECT_FALSE(take(failure, member)) << member;
  EXPECT_TRUE(take(failure, kMany));
}

TEST_F(BreakerTest, P8AUsableReplyBetweenStartsTheCountAnew) {
  for (const Outcome& works :
       {Outcome{test::issued("a", "r", kT0)}, Outcome{test::refreshed("a", kT0)},
        Outcome{Revoked{}}, Outcome{AlreadyDead{}}, Outcome{MemberGone{}}, Outcome{MemberUnknown{}},
        Outcome{RefreshTokenDead{}}}) {
    breaker = {};
    take(failure, 1);
    take(failure, 2);
    EXPECT_FALSE(take(works, 9));
    EXPECT_FALSE(take(failure, 3));
    EXPECT_EQ(breaker.state(), BreakerState::kClosed) << name_of(works);
  }
}

TEST_F(BreakerTest, P8WhatIsAboutOneTokenOrMemberNeitherOpensNorClosesIt) {
  const Outcome about_one =
      Transient{.reason = TransientReason::kServerError, .why = "a test", .about_one = true};
  for (int i = 1; i < 10; ++i) EXPECT_FALSE(take(about_one, i));
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  take(failure, 1);
  take(failure, 2);
  take(about_one, 9);
  EXPECT_TRUE(take(failure, 3)) << "no proof that Circle works either";
  // As a probe it takes the probe's turn: no storm of calls behind an open breaker.
  const BootTime probe = *breaker.probe_at(false);
  EXPECT_FALSE(take(about_one, 4, probe));
  EXPECT_EQ(breaker.state(), BreakerState::kFailing);
  EXPECT_FALSE(breaker.may_send(probe + 499ms, 0, false));
}

TEST_F(BreakerTest, P8ThrottlingSaysNothing) {
  for (int i = 1; i < 10; ++i) EXPECT_FALSE(take(Throttled{}, i));
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  take(AppTokenRefused{}, 1);
  EXPECT_FALSE(take(Throttled{}, 2));
  EXPECT_EQ(breaker.state(), BreakerState::kAppTokenRefused);
}

TEST_F(BreakerTest, P8OpenLetsOneProbeThroughAtItsTime) {
  take(AppTokenRefused{}, 1);
  const BootTime probe = *breaker.probe_at(false);
  EXPECT_GE(probe, kNow + Breaker::kProbeGapMin / 2);
  EXPECT_LE(probe, kNow + Breaker::kProbeGapMin);
  EXPECT_FALSE(breaker.may_send(probe - 1ms, 0, false));
  EXPECT_TRUE(breaker.may_send(probe, 0, false));
  EXPECT_FALSE(breaker.may_send(probe, 1, false));
  EXPECT_FALSE(breaker.may_send(probe, 1, true));
}

TEST_F(BreakerTest, P8FailedProbesGrowTheDistanceUpToItsCap) {
  take(AppTokenRefused{}, 1);
  BootTime now = kNow;
  for (int probe = 1; probe < 20; ++probe) {
    now = *breaker.probe_at(false);
    take(AppTokenRefused{}, 1, now);
    const Duration gap = std::min<Duration>(Breaker::kProbeGapMax, 1s * (1 << std::min(probe, 10)));
    EXPECT_GE(*breaker.probe_at(false), now + gap / 2) << probe;
    EXPECT_LE(*breaker.probe_at(false), now + gap) << probe;
    EXPECT_LE(*breaker.probe_at(true), now + Breaker::kUrgentProbeGap) << "a client waits";
    EXPECT_FALSE(breaker.may_send(now + 499ms, 0, true));
  }
}

// A client waits all the time, and each probe fails.
TEST_F(BreakerTest, P8FailedUrgentProbesAreASecondApartToo) {
  for (const Outcome& refusal : {Outcome{AppTokenRefused{}}, Outcome{NotEligible{}}, failure}) {
    breaker = {};
    for (int member = 1; member <= 3; ++member) take(refusal, member);
    BootTime last = kNow;
    for (int probe = 1; probe < 12; ++probe) {
      const BootTime next = *breaker.probe_at(true);
      const Duration least = probe == 1 ? Breaker::kProbeGapMin / 2 : Breaker::kUrgentProbeGap;
      EXPECT_GE(next - last, least) << probe;
      EXPECT_LE(next - last, Breaker::kUrgentProbeGap) << probe;
      EXPECT_FALSE(breaker.may_send(last + least - 1ms, 0, true)) << probe;
      take_urgent(refusal, 1, next);
      last = next;
    }
  }
}

// Clients wait for bad members all the time. A probe of a good one, for which nobody waits, shows
// that Circle works.
TEST_F(BreakerTest, P8FailedUrgentProbesDoNotPutOffTheNextOrdinaryOne) {
  for (int member = 1; member <= 3; ++member) take(failure, member);
  take(failure, 1, *breaker.probe_at(false));
  const BootTime ordinary = *breaker.probe_at(false);
  BootTime last = kNow;
  for (BootTime now = *breaker.probe_at(true); now < ordinary + 10s;
       now = *breaker.probe_at(true)) {
    take_urgent(failure, 2, now);
    last = now;
    EXPECT_EQ(*breaker.probe_at(false), std::max(ordinary, now + Breaker::kUrgentProbeGap));
  }
  EXPECT_GT(last, ordinary);
  take(failure, 3, *breaker.probe_at(false));
  EXPECT_GT(*breaker.probe_at(false), last + Breaker::kUrgentProbeGap)
      << "and an ordinary one does";
}

TEST_F(BreakerTest, P12TheGapOfASecondOutageBeginsSmall) {
  for (int outage = 0; outage < 3; ++outage) {
    const BootTime begin = kNow + outage * 1h;
    for (int member = 1; member <= 3; ++member) take(failure, member, begin);
    EXPECT_LE(*breaker.probe_at(false), begin + Breaker::kProbeGapMin) << outage;
    for (int probe = 0; probe < 8; ++probe) take(failure, 1, *breaker.probe_at(false));
    for (int member = 1; member <= 3; ++member) take(Revoked{}, member, begin + 30min);
  }
  take(AppTokenRefused{}, 1);
  for (int probe = 0; probe < 8; ++probe) take(AppTokenRefused{}, 1, *breaker.probe_at(false));
  breaker.on_new_app_token();
  take(AppTokenRefused{}, 1, kNow + 5h);
  EXPECT_LE(*breaker.probe_at(false), kNow + 5h + Breaker::kProbeGapMin) << "a new app token, too";
}

TEST_F(BreakerTest, P8CallsThatWereInFlightWhenItOpenedAreNotCountedAsProbes) {
  // Sixteen calls die with one connection: the first probe is due as after one failure.
  for (int i = 1; i <= 16; ++i) take(failure, i);
  EXPECT_EQ(breaker.state(), BreakerState::kFailing);
  EXPECT_LE(*breaker.probe_at(false), kNow + Breaker::kProbeGapMin);
}

TEST_F(BreakerTest, P8AFailedProbeKeepsTheReason) {
  take(AppTokenRefused{}, 1);
  EXPECT_FALSE(take(failure, 1, kNow + 5s));
  EXPECT_EQ(breaker.state(), BreakerState::kAppTokenRefused);
  EXPECT_TRUE(take(NotEligible{}, 1, kNow + 10s));
  EXPECT_EQ(breaker.state(), BreakerState::kNotEligible);
}

TEST_F(BreakerTest, P8SuccessClosesItAndForgetsThePast) {
  for (int i = 1; i <= 3; ++i) take(failure, i);
  EXPECT_TRUE(take(Revoked{}, 1));
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  EXPECT_TRUE(breaker.may_send(kNow, 15, false));
  EXPECT_FALSE(take(failure, 1));
  EXPECT_FALSE(take(failure, 2));
}

TEST_F(BreakerTest, P8ANewAppTokenClosesOnlyWhatATokenCanMend) {
  EXPECT_FALSE(breaker.on_new_app_token());
  for (const Outcome& refusal : {Outcome{AppTokenRefused{}}, Outcome{NotEligible{}}}) {
    take(refusal, 1);
    EXPECT_TRUE(breaker.on_new_app_token());
    EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  }
  for (int i = 1; i <= 3; ++i) take(failure, i);
  EXPECT_FALSE(breaker.on_new_app_token());
  EXPECT_EQ(breaker.state(), BreakerState::kFailing);
}

}  // namespace
}  // namespace rota
