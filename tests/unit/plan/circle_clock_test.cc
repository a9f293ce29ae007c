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

TEST(CircleClock, StartsFromTheWallClockButNeverBeforeTheRecord) {
  EXPECT_EQ(CircleClock(kStart, std::nullopt).at(kBoot), kT0);
  EXPECT_EQ(CircleClock(kStart, kT0 - 1ms).at(kBoot), kT0);
  EXPECT_EQ(CircleClock(kStart, kT0 + 1ms).at(kBoot), kT0 + 1ms);
  EXPECT_EQ(CircleClock(kStart, kT0 + 24h).at(kBoot + 5s), kT0 + 24h + 5s);
}

TEST(CircleClock, RunsWithTheBootClockAndConvertsBothWays) {
  const CircleClock clock(kStart, std::nullopt);
  EXPECT_EQ(clock.at(kBoot + 90s), kT0 + 90s);
  EXPECT_EQ(clock.boot_at(kT0 + 90s), kBoot + 90s);
  // A step of the wall clock shows as skew and moves nothing.
  EXPECT_EQ(clock.skew({.wall = kT0 + 10s - 3h, .boot = kBoot + 10s}), 3h);
  EXPECT_EQ(clock.at(kBoot + 10s), kT0 + 10s);
}

TEST(CircleClock, IsMovedOnlyByMoreThanTheTolerance) {
  struct Case {
    Duration off;  // of the estimate against the Date, its half second included
    bool moved;
  };
  for (const auto& [off, moved] : {Case{0ms, false}, Case{2'000ms, false}, Case{2'001ms, true},
                                   Case{-2'000ms, false}, Case{-2'001ms, true}, Case{1h, true}}) {
    CircleClock clock(kStart, std::nullopt);
    EXPECT_FALSE(clock.confirmed());
    EXPECT_EQ(clock.observe(kT0 + off - 500ms, kBoot), moved) << off.count();
    EXPECT_EQ(clock.at(kBoot), moved ? kT0 + off : kT0) << off.count();
    EXPECT_TRUE(clock.confirmed());
  }
}

TEST(CircleClock, OneOddDateAmongManyDoesNotMoveIt) {
  for (const Duration odd : {Duration(-24h), Duration(24h)}) {
    CircleClock clock(kStart, std::nullopt);
    for (int i = 0; i < 20; ++i) {
      const Duration after = i * 10s;
      const Duration skew = i == 7 ? odd : 0ms;
      EXPECT_FALSE(clock.observe(date(skew, after), kBoot + after)) << i;
    }
    EXPECT_EQ(clock.at(kBoot), kT0);
  }
}

TEST(CircleClock, FollowsALastingChangeOnceMostSamplesShowIt) {
  CircleClock clock(kStart, std::nullopt);
  for (int i = 0; i < 9; ++i) clock.observe(date(0ms, i * 1s), kBoot + i * 1s);
  int samples = 0;
  while (!clock.observe(date(1min, 60s), kBoot + 60s)) ASSERT_LT(++samples, 9);
  EXPECT_EQ(samples + 1, static_cast<int>(CircleClock::kSamples / 2 + 1));
  EXPECT_EQ(clock.at(kBoot), kT0 + 1min + 500ms);
}

TEST(CircleClock, TheFirstReplyCorrectsAWrongRecord) {
  // The record said tomorrow; Circle says today.
  CircleClock clock(kStart, kT0 + 24h);
  EXPECT_TRUE(clock.observe(date(0ms, 1s), kBoot + 1s));
  EXPECT_LE(std::chrono::abs(clock.at(kBoot) - kT0), 1s);
}

}  // namespace
}  // namespace rota
