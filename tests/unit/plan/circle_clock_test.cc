#include "plan/circle_clock.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;

constexpr BootTime kBoot{Duration{1'000'000}};
constexpr Now kStart{.wall = kT0, .boot = kBoot};

// Both clocks, that far after the start.
Now both(Duration after) { return {.wall = kT0 + after, .boot = kBoot + after}; }

// The Date header of a reply that Circle, `skew` ahead of kT0, sent `after` the start.
WallTime date(Duration skew, Duration after) {
  return std::chrono::floor<std::chrono::seconds>(kT0 + skew + after);
}

TEST(CircleClock, P1StartsFromTheWallClockAndTheSkewButNeverBeforeTheRecord) {
  EXPECT_EQ(CircleClock(kStart, std::nullopt, 0ms).at(kBoot), kT0);
  EXPECT_EQ(CircleClock(kStart, std::nullopt, -90s).at(kBoot), kT0 - 90s);
  EXPECT_EQ(CircleClock(kStart, kT0 - 1ms, 0ms).at(kBoot), kT0);
  EXPECT_EQ(CircleClock(kStart, kT0 - 1ms, -90s).at(kBoot), kT0 - 1ms);
  EXPECT_EQ(CircleClock(kStart, kT0 + 1ms, 0ms).at(kBoot), kT0 + 1ms);
  EXPECT_EQ(CircleClock(kStart, kT0 + 24h, 0ms).at(kBoot + 5s), kT0 + 24h + 5s);
}

TEST(CircleClock, P1RunsWithTheBootClockAndConvertsBothWays) {
  const CircleClock clock(kStart, std::nullopt, 0ms);
  EXPECT_EQ(clock.at(kBoot + 90s), kT0 + 90s);
  EXPECT_EQ(clock.boot_at(kT0 + 90s), kBoot + 90s);
  // A step of the wall clock shows as skew and moves nothing.
  EXPECT_EQ(clock.skew({.wall = kT0 + 10s - 3h, .boot = kBoot + 10s}), 3h);
  EXPECT_EQ(clock.at(kBoot + 10s), kT0 + 10s);
}

TEST(CircleClock, P1IsMovedOnlyOutOfItsBoundsAndThenToTheirMiddle) {
  // A call of 100 ms around the start; the Date says `off`, and Circle was within [off, off + 1 s).
  struct Case {
    Duration off;
    Duration expected;
  };
  for (const auto& [off, expected] :
       {Case{-1'050ms, 0ms}, Case{-1'051ms, -551ms}, Case{0ms, 0ms}, Case{50ms, 0ms},
        Case{51ms, 551ms}, Case{1h, 1h + 500ms}, Case{-1h, -1h + 500ms}}) {
    CircleClock clock(kStart, std::nullopt, 0ms);
    EXPECT_FALSE(clock.confirmed());
    EXPECT_EQ(clock.observe(kT0 + off, {.at = kBoot - 50ms, .doubts = clock.doubts()}, both(50ms)),
              expected != 0ms)
        << off.count();
    EXPECT_EQ(clock.at(kBoot), kT0 + expected) << off.count();
    EXPECT_TRUE(clock.confirmed());
  }
}

TEST(CircleClock, P1WholeSecondsOfTheDateDoNotDisturbAClockThatIsRight) {
  CircleClock clock(kStart, std::nullopt, 0ms);
  for (int i = 0; i < 100; ++i) {
    const Duration after = i * 137ms;
    EXPECT_FALSE(clock.observe(date(0ms, after),
                               {.at = kBoot + after - 20ms, .doubts = clock.doubts()},
                               both(after + 200ms)))
        << i;
  }
}

TEST(CircleClock, P1SamplesNarrowItDown) {
  // Circle is 700 ms ahead, less than a Date can show at once.
  CircleClock clock(kStart, std::nullopt, 0ms);
  for (int i = 0; i < 40; ++i) {
    const Duration after = i * 137ms;
    clock.observe(date(700ms, after), {.at = kBoot + after, .doubts = clock.doubts()},
                  both(after + 10ms));
  }
  EXPECT_LE(clock.at(kBoot), kT0 + 700ms);
  EXPECT_GE(clock.at(kBoot), kT0 + 300ms);
}

TEST(CircleClock, P1OneOddDateAmongManyDoesNotMoveIt) {
  for (const Duration odd : {Duration(-24h), Duration(24h)}) {
    CircleClock clock(kStart, std::nullopt, 0ms);
    for (int i = 0; i < 20; ++i) {
      const Duration after = i * 10s;
      const Duration skew = i == 7 ? odd : 0ms;
      EXPECT_FALSE(clock.observe(date(skew, after), {.at = kBoot + after, .doubts = clock.doubts()},
                                 both(after)))
          << i;
    }
    EXPECT_EQ(clock.at(kBoot), kT0);
  }
}

TEST(CircleClock, P1FollowsALastingChangeOnceASecondReplyConfirmsIt) {
  CircleClock clock(kStart, std::nullopt, 0ms);
  for (int i = 0; i < 9; ++i)
    clock.observe(date(0ms, i * 1s), {.at = kBoot + i * 1s, .doubts = clock.doubts()},
                  both(i * 1s));
  EXPECT_FALSE(
      clock.observe(date(1min, 60s), {.at = kBoot + 60s, .doubts = clock.doubts()}, both(60s)));
  EXPECT_TRUE(
      clock.observe(date(1min, 61s), {.at = kBoot + 61s, .doubts = clock.doubts()}, both(61s)));
  EXPECT_EQ(clock.at(kBoot), kT0 + 1min + 500ms);
}

// P1: learned before this start of the daemon, on the same boot.
TEST(CircleClock, P1ARestartBelievesNoSingleOddDateEither) {
  for (const Duration odd : {Duration(-24h), Duration(24h)}) {
    const Duration offset = kT0.time_since_epoch() - kBoot.time_since_epoch();
    CircleClock clock(kStart, std::nullopt, 0ms, offset);
    EXPECT_TRUE(clock.confirmed());
    EXPECT_FALSE(
        clock.observe(date(odd, 1s), {.at = kBoot + 1s, .doubts = clock.doubts()}, both(1s)));
    EXPECT_EQ(clock.at(kBoot), kT0);
    EXPECT_TRUE(
        clock.observe(date(odd, 2s), {.at = kBoot + 2s, .doubts = clock.doubts()}, both(2s)))
        << "two of them it does";
  }
}

// A clock that Circle confirmed at the start, on a machine whose wall clock is that far behind.
CircleClock confirmed(Duration skew = 0ms) {
  CircleClock clock({.wall = kT0 - skew, .boot = kBoot}, std::nullopt, skew);
  clock.observe(date(0ms, 0ms), {.at = kBoot, .doubts = 0}, {.wall = kT0 - skew, .boot = kBoot});
  return clock;
}

// P12: the boot clock of a paused virtual machine stands still.
TEST(CircleClock, P1AWallClockThatMovesIsAReasonToDoubtAndNoProof) {
  for (const Duration moved : {Duration(1h), Duration(-1h), Duration(2s + 1ms)}) {
    CircleClock clock = confirmed();
    EXPECT_FALSE(clock.look(both(10s)));
    const Now after{.wall = kT0 + 10s + moved, .boot = kBoot + 10s};
    EXPECT_EQ(clock.latest(after), kT0 + 10s + std::max(moved, Duration{0})) << "before any look";
    EXPECT_TRUE(clock.look(after)) << moved.count();
    EXPECT_FALSE(clock.look(after)) << "told once";
    EXPECT_TRUE(clock.doubted());
    EXPECT_EQ(clock.at(kBoot + 10s), kT0 + 10s);
  }
  CircleClock clock = confirmed();
  const Now little{.wall = kT0 + CircleClock::kMovedMin, .boot = kBoot};
  EXPECT_FALSE(clock.look(little)) << "two clocks are not read at one moment";
  EXPECT_EQ(clock.latest(little), kT0);
}

TEST(CircleClock, P1AWallClockThatWasSetMayBeRightOrAsFarOffAsItWas) {
  struct Case {
    Duration skew;      // of Circle's clock against the wall clock before
    Duration expected;  // of what counts as the latest against what the wall clock shows then
  };
  for (const auto& [skew, expected] : {Case{30s, 30s}, Case{-30s, 0s}, Case{2h, 2h}}) {
    const CircleClock clock = confirmed(skew);
    const WallTime shown = kT0 - skew + 5h;
    EXPECT_EQ(clock.latest({.wall = shown, .boot = kBoot}), shown + expected) << skew.count();
  }
  EXPECT_EQ(confirmed(5h).latest({.wall = kT0, .boot = kBoot}), kT0) << "that one was set right";
}

TEST(CircleClock, P1OnlyAReplyToALaterCallSettlesIt) {
  CircleClock clock = confirmed();
  for (int i = 1; i < 9; ++i) {
    clock.observe(date(0ms, i * 1s), {.at = kBoot + i * 1s, .doubts = 0}, both(i * 1s));
  }
  const auto paused = [](Duration after) {  // for an hour, and set right by now
    return Now{.wall = kT0 + 1h + after, .boot = kBoot + after};
  };
  const CircleClock::Sent before{.at = kBoot + 20s, .doubts = clock.doubts()};
  ASSERT_TRUE(clock.look(paused(20s)));
  EXPECT_FALSE(clock.settles(before.doubts));
  EXPECT_FALSE(clock.observe(date(0ms, 19s), before, paused(21s))) << "it was on its way";
  EXPECT_TRUE(clock.doubted());
  const CircleClock::Sent later{.at = kBoot + 20s, .doubts = clock.doubts()};
  EXPECT_TRUE(clock.observe(date(1h, 20s), later, paused(20s))) << "one is enough here";
  EXPECT_FALSE(clock.doubted());
  EXPECT_LE(std::chrono::abs(clock.at(kBoot + 20s) - (kT0 + 1h + 20s)), 500ms);
  EXPECT_EQ(clock.latest(paused(30s)), clock.at(kBoot + 30s));
}

TEST(CircleClock, P1ASingleDateThatIsAheadIsAReasonToDoubtToo) {
  CircleClock clock = confirmed();
  for (int i = 1; i < 9; ++i) {
    clock.observe(date(0ms, i * 1s), {.at = kBoot + i * 1s, .doubts = 0}, both(i * 1s));
  }
  EXPECT_FALSE(clock.observe(date(1h, 20s), {.at = kBoot + 20s, .doubts = 0}, both(20s)));
  EXPECT_EQ(clock.at(kBoot), kT0) << "it moves nothing";
  EXPECT_TRUE(clock.doubted());
  EXPECT_EQ(clock.latest(both(30s)), kT0 + 1h + 30s);
  EXPECT_FALSE(clock.observe(date(0ms, 31s), {.at = kBoot + 31s, .doubts = 1}, both(31s)));
  EXPECT_FALSE(clock.doubted()) << "it was odd";
  EXPECT_EQ(clock.latest(both(40s)), kT0 + 40s);
}

TEST(CircleClock, P12AStepThatCircleDoesNotConfirmMovesNothing) {
  CircleClock clock = confirmed();
  const auto stepped = [](Duration after) {
    return Now{.wall = kT0 + 10'000h + after, .boot = kBoot + after};
  };
  ASSERT_TRUE(clock.look(stepped(20s)));
  EXPECT_FALSE(clock.observe(date(0ms, 20s), {.at = kBoot + 20s, .doubts = 1}, stepped(20s)));
  EXPECT_FALSE(clock.doubted());
  EXPECT_EQ(clock.at(kBoot), kT0);
  EXPECT_EQ(clock.latest(stepped(30s)), kT0 + 30s);
  EXPECT_FALSE(clock.look(stepped(30s)));
  EXPECT_TRUE(clock.look(both(40s))) << "set back, that is another step";
}

TEST(CircleClock, P1ASecondStepWantsALaterAnswer) {
  CircleClock clock = confirmed();
  ASSERT_TRUE(clock.look({.wall = kT0 + 1h, .boot = kBoot + 10s}));
  ASSERT_TRUE(clock.look({.wall = kT0 + 5h, .boot = kBoot + 20s}));
  EXPECT_FALSE(clock.settles(clock.doubts() - 1));
  EXPECT_TRUE(clock.settles(clock.doubts()));
}

TEST(CircleClock, P1AStepBackHidesNoStepForward) {
  CircleClock clock = confirmed();
  ASSERT_TRUE(clock.look({.wall = kT0 - 100h, .boot = kBoot}));
  ASSERT_TRUE(clock.look({.wall = kT0 - 98h, .boot = kBoot}));
  EXPECT_EQ(clock.latest({.wall = kT0 - 98h, .boot = kBoot}), kT0 + 2h);
}

TEST(CircleClock, P1AStepForwardStandsThoughOneBackFollows) {
  CircleClock clock = confirmed();
  ASSERT_TRUE(clock.look({.wall = kT0 + 5h, .boot = kBoot}));
  ASSERT_TRUE(clock.look({.wall = kT0 + 2h, .boot = kBoot}));
  EXPECT_EQ(clock.latest({.wall = kT0 + 2h, .boot = kBoot}), kT0 + 5h);
}

TEST(CircleClock, P1AStartFindsThatTheWallClockHasMovedSinceTheRecord) {
  const Duration offset = kT0.time_since_epoch() - kBoot.time_since_epoch();
  for (const Duration moved : {Duration{0}, Duration(1h)}) {
    const Now start{.wall = kT0 - 30s + moved, .boot = kBoot};
    CircleClock clock(start, std::nullopt, 30s, offset);
    EXPECT_EQ(clock.latest(start), kT0 + moved);
    EXPECT_EQ(clock.look(start), moved > 0ms);
    EXPECT_EQ(clock.settled_skew(), 30s) << "what is on record stays until Circle has answered";
  }
}

TEST(CircleClock, P1BeforeTheFirstReplyTheWallClockThatWasSetIsFollowed) {
  CircleClock clock({.wall = kT0 - 24h, .boot = kBoot}, std::nullopt, 0ms);
  const Now set{.wall = kT0, .boot = kBoot};
  EXPECT_EQ(clock.latest(set), kT0) << "before any look";
  EXPECT_TRUE(clock.follow_wall(set));
  EXPECT_FALSE(clock.follow_wall(set));
  EXPECT_EQ(clock.at(kBoot), kT0);
  EXPECT_FALSE(clock.doubted());
}

TEST(CircleClock, P1TheFirstReplyCorrectsAWrongRecord) {
  // The record said tomorrow; Circle says today.
  CircleClock clock(kStart, kT0 + 24h, 0ms);
  EXPECT_TRUE(clock.observe(date(0ms, 1s), {.at = kBoot + 1s, .doubts = clock.doubts()}, both(1s)));
  EXPECT_LE(std::chrono::abs(clock.at(kBoot) - kT0), 1s);
}

}  // namespace
}  // namespace rota
