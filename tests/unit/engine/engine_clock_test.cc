#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/expiry.h"
#include "tests/unit/engine/engine_box.h"

// A virtual machine that was paused: its boot clock stood still, Circle's time went on, and then
// somebody sets the wall clock.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr BootId kBoot{1};

// Grace, and somebody whose token ends much later.
EngineBox box_of_two() {
  EngineBox box({}, exact_policy(), {.wall = kT0, .boot = BootTime{Duration{10'000'000}}}, kBoot);
  box.start();
  box.roster({entry(kGraceKey), entry("id:7")});
  box.settle();
  Issued other = issued("access-7", "refresh-7", box.circle(), 7);
  other.pair.access.expires_at += 23h;
  for (const auto& call : box.open_calls()) {
    const bool graces = call.request.member.text() == kGraceKey;
    box.reply(call, graces ? issued("access-1", "refresh-1", box.circle()) : other, box.circle());
    box.settle();
  }
  return box;
}

bool serves(const EngineBox& box, std::string_view key) {
  const Token* access = current(box.slot(key).record, TokenKind::kAccess);
  return alive(access->expires_at, box.engine.serving_time(box.now));
}

TEST(EngineClock, P1AWallClockThatIsSetIsAReasonToAskCircleAtOnce) {
  EngineBox box = box_of_two();
  box.run_for(1min);
  ASSERT_THAT(box.open_calls(), IsEmpty());
  ASSERT_TRUE(serves(box, kGraceKey));
  box.set_wall_clock(2h);  // the pause, seen at last
  EXPECT_FALSE(serves(box, kGraceKey)) << "it may have ended";
  EXPECT_TRUE(serves(box, "id:7")) << "it cannot have";
  box.settle();
  EXPECT_EQ(box.told("clock"), 1U);
  ASSERT_THAT(box.open_calls(), SizeIs(1)) << "49 minutes before a refresh is due";
  const WallTime truth = box.circle() + 2h;
  box.reply(box.oldest_call(), refreshed("access-2", truth + 1h), truth);
  box.settle();
  EXPECT_LE(std::chrono::abs(box.circle() - truth), 1s);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
  EXPECT_TRUE(serves(box, kGraceKey));
}

TEST(EngineClock, P1ADoubtInTheFirstSecondsAfterAFirstStartIsAskedAboutAtOnce) {
  EngineBox box = box_of_two();
  box.run_for(1s);
  ASSERT_THAT(box.open_calls(), IsEmpty());
  box.set_wall_clock(2h);
  box.settle();
  EXPECT_FALSE(serves(box, kGraceKey));
  EXPECT_THAT(box.open_calls(), SizeIs(1));
}

TEST(EngineClock, P1TheWallClockNeedNotBeTold) {
  EngineBox box = box_of_two();
  box.run_for(1min);
  box.now.wall += 2h;  // no timer of the kernel's says so
  EXPECT_FALSE(serves(box, kGraceKey)) << "each fetch looks for itself";
  box.used({box.slot("id:7").record.id});
  box.settle();
  EXPECT_THAT(box.open_calls(), SizeIs(1));
}

// P12: what a silly wall clock costs ends with one reply.
TEST(EngineClock, P12AWallClockYearsAheadHoldsTokensBackForOneReplyOnly) {
  EngineBox box = box_of_two();
  box.run_for(1min);
  box.set_wall_clock(std::chrono::days{4'000});
  EXPECT_FALSE(serves(box, "id:7"));
  const WaitId wait = box.wait(static_cast<std::int64_t>(box.slot("id:7").record.id), 10s);
  box.settle();
  EXPECT_EQ(box.answer_of(wait), std::nullopt)
      << "who waits gets it as soon as Circle has answered";
  ASSERT_THAT(box.open_calls(), SizeIs(1)) << "one call for all of them";
  const auto call = box.oldest_call();
  const bool graces = call.request.member.text() == kGraceKey;
  box.reply(call, refreshed("access-2", box.circle() + 24h), box.circle());
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_TRUE(serves(box, graces ? "id:7" : kGraceKey)) << "with the token that it has";
  box.run_for(5min);
  EXPECT_THAT(box.open_calls(), IsEmpty()) << "and nothing more is asked";
}

TEST(EngineClock, P7AWallClockThatIsSetAgainAndAgainCostsNoCallEach) {
  EngineBox box = box_of_two();
  box.run_for(1min);
  const std::size_t before = box.calls.size();
  int answers = 0;
  for (int i = 0; i < 60; ++i) {
    box.set_wall_clock(i % 2 == 0 ? 2h : -2h);
    box.wait(1, 1s);
    box.wait(2, 1s);
    box.run_for(1s);
    for (const auto& call : box.open_calls()) {
      box.reply(call, refreshed(fmt::format("a{}", ++answers), box.circle() + 24h), box.circle());
      box.settle();
    }
  }
  EXPECT_GE(box.calls.size() - before, 10U);
  EXPECT_LE(box.calls.size() - before, 13U) << "five seconds apart";
}

TEST(EngineClock, P1AReplyThatWasOnItsWayWhenTheMachineStoodStillSettlesNothing) {
  EngineBox box = box_of_two();
  box.run_for(50min);
  ASSERT_THAT(box.open_calls(), SizeIs(1));
  box.set_wall_clock(2h);
  const WallTime sent = kT0 + 50min;
  box.reply(box.oldest_call(), refreshed("access-2", sent + 1h), sent);
  box.settle();
  EXPECT_FALSE(serves(box, kGraceKey)) << "Circle said so two hours ago, perhaps";
  EXPECT_THAT(box.open_calls(), SizeIs(1)) << "and is asked now";
}

TEST(EngineClock, P1ADoubtOutlivesAKill) {
  EngineBox box = box_of_two();
  box.run_for(1min);
  box.set_wall_clock(2h);
  box.settle();  // the commit of the call's row is later than the step
  ASSERT_THAT(box.open_calls(), SizeIs(1));
  EngineBox again = box.restarted(1s, 0s, kBoot);
  again.start();
  EXPECT_FALSE(serves(again, kGraceKey));
  again.run_for(6s);
  EXPECT_THAT(again.open_calls(), SizeIs(1));
  // A call that fails settles nothing, and is made again.
  again.reply(again.oldest_call(), transient(TransientReason::kNoReply));
  again.run_for(6s);
  EXPECT_FALSE(serves(again, kGraceKey));
  EXPECT_THAT(again.open_calls(), SizeIs(1));
}

// P1: a machine whose clock is always an hour behind knows that after a reboot, too.
TEST(EngineClock, P1TheSkewIsOnRecordOverAReboot) {
  EngineBox box({}, exact_policy(), {.wall = kT0 - 1h, .boot = BootTime{10'000s}}, BootId{1});
  box.start();
  box.roster({entry(kGraceKey)});
  box.settle();
  box.reply(box.oldest_call(), issued("access-1", "refresh-1", kT0), kT0);
  box.settle();
  EngineBox again = box.restarted(2h, 0s, BootId{2});
  again.start();
  EXPECT_LE(std::chrono::abs(again.circle() - (kT0 + 2h)), 1s);
  EXPECT_FALSE(serves(again, kGraceKey));
}

// Tokens that a later time had ended count again.
TEST(EngineClock, ATimeThatGoesBackCountsTheTokensThatItHadEnded) {
  EngineBox box = box_of_two();
  box.run_for(1min);
  ASSERT_EQ(box.engine.census().fresh(box.circle()), 2U);
  ASSERT_EQ(box.engine.census().fresh(box.circle() + 25h), 0U);
  box.set_wall_clock(-1h);
  box.settle();
  ASSERT_THAT(box.open_calls(), SizeIs(1));
  const WallTime back = box.circle() - 1h;
  box.reply(box.oldest_call(), refreshed("access-2", back + 1h), back);
  box.settle();
  ASSERT_LE(box.circle(), back + 1s);
  EXPECT_EQ(box.engine.census().fresh(box.circle()), 2U);
}

}  // namespace
}  // namespace rota::test
