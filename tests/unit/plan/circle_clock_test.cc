#include "plan/circle_clock.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;

constexpr BootTime kBoot{Duration{1'000'000}};
constexpr Now kStart{.wall = kT0, .boot = kBoot};

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
    EXPECT_EQ(clock.observe(kT0 + off, kBoot - 50ms, kBoot + 50ms), expected != 0ms) << off.count();
    EXPECT_EQ(clock.at(kBoot), kT0 + expected) << off.count();
    EXPECT_TRUE(clock.confirmed());
  }
}

TEST(CircleClock, P1WholeSecondsOfTheDateDoNotDisturbAClockThatIsRight) {
  CircleClock clock(kStart, std::nullopt, 0ms);
  for (int i = 0; i < 100; ++i) {
    const Duration after = i * 137ms;
    EXPECT_FALSE(clock.observe(date(0ms, after), kBoot + after - 20ms, kBoot + after + 200ms)) << i;
  }
}

TEST(CircleClock, P1SamplesNarrowItDown) {
  // Circle is 700 ms ahead, less than a Date can show at once.
  CircleClock clock(kStart, std::nullopt, 0ms);
  for (int i = 0; i < 40; ++i) {
    const Duration after = i * 137ms;
    clock.observe(date(700ms, after), kBoot + after, kBoot + after + 10ms);
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
      EXPECT_FALSE(clock.observe(date(skew, after), kBoot + after, kBoot + after)) << i;
    }
    EXPECT_EQ(clock.at(kBoot), kT0);
  }
}

TEST(CircleClock, P1FollowsALastingChangeOnceASecondReplyConfirmsIt) {
  CircleClock clock(kStart, std::nullopt, 0ms);
  for (int i = 0; i < 9; ++i) clock.observe(date(0ms, i * 1s), kBoot + i * 1s, kBoot + i * 1s);
  EXPECT_FALSE(clock.observe(date(1min, 60s), kBoot + 60s, kBoot + 60s));
  EXPECT_TRUE(clock.observe(date(1min, 61s), kBoot + 61s, kBoot + 61s));
  EXPECT_EQ(clock.at(kBoot), kT0 + 1min);
}

// P1: learned before this start of the daemon, on the same boot.
TEST(CircleClock, P1ARestartBelievesNoSingleOddDateEither) {
  for (const Duration odd : {Duration(-24h), Duration(24h)}) {
    const Duration offset = kT0.time_since_epoch() - kBoot.time_since_epoch();
    CircleClock clock(kStart, std::nullopt, 0ms, offset);
    EXPECT_TRUE(clock.confirmed());
    EXPECT_FALSE(clock.observe(date(odd, 1s), kBoot + 1s, kBoot + 1s));
    EXPECT_EQ(clock.at(kBoot), kT0);
    EXPECT_TRUE(clock.observe(date(odd, 2s), kBoot + 2s, kBoot + 2s)) << "two of them it does";
  }
}

TEST(CircleClock, P1TheFirstReplyCorrectsAWrongRecord) {
  // The record said tomorrow; Circle says today.
  CircleClock clock(kStart, kT0 + 24h, 0ms);
  EXPECT_TRUE(clock.observe(date(0ms, 1s), kBoot + 1s, kBoot + 1s));
  EXPECT_LE(std::chrono::abs(clock.at(kBoot) - kT0), 1s);
}

}  // namespace
}  // namespace rota
