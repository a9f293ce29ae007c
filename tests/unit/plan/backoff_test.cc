#include "plan/backoff.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

TEST(Backoff, P12LiesBetweenTheFloorAndTheDoubledBaseOrTheCap) {
  struct Case {
    int failures;
    Duration cap, ceiling;
  };
  for (const auto& [failures, cap, ceiling] :
       {Case{0, kBackoffCap, Duration{500}}, Case{1, kBackoffCap, Duration{500}},
        Case{2, kBackoffCap, Duration{1'000}}, Case{5, kBackoffCap, Duration{8'000}},
        Case{10, kBackoffCap, Duration{256'000}}, Case{11, kBackoffCap, kBackoffCap},
        Case{1'000'000, kBackoffCap, kBackoffCap}, Case{8, Duration{3'000}, Duration{3'000}},
        Case{3, Duration{10}, kBackoffFloor}}) {
    Random random(7);
    Duration least = Duration::max(), most{0};
    for (int i = 0; i < 5'000; ++i) {
      const Duration delay = backoff_delay(failures, cap, random);
      ASSERT_GE(delay, kBackoffFloor) << failures;
      ASSERT_LE(delay, ceiling) << failures;
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    // Full jitter: the whole range is drawn from.
    EXPECT_LE(least, std::max(kBackoffFloor, ceiling / 20)) << failures;
    EXPECT_GE(most, ceiling - ceiling / 20) << failures;
  }
}

TEST(Backoff, P12TheCapIsAnEighthOfTheLifetimeWithinItsBounds) {
  struct Case {
    Duration lifetime, cap;
  };
  for (const auto& [lifetime, cap] :
       {Case{Duration{0}, kBackoffCapMin}, Case{Duration{16'000}, kBackoffCapMin},
        Case{Duration{16'008}, Duration{2'001}}, Case{Duration{800'000}, Duration{100'000}},
        Case{kBackoffCap * 8, kBackoffCap}, Case{kBackoffCap * 8 + Duration{8}, kBackoffCap}}) {
    EXPECT_EQ(backoff_cap(lifetime), cap) << lifetime.count();
  }
}

TEST(Backoff, P12TowardsATokensEndTheTriesGrowDenser) {
  struct Case {
    Duration lifetime, left, cap;
  };
  constexpr Duration kHour = std::chrono::hours{1};
  for (const auto& [lifetime, left, cap] : {
           Case{kHour, kHour, kBackoffCap},
           Case{kHour, Duration{100'000}, Duration{50'000}},
           Case{kHour, Duration{4'000}, kBackoffCapMin},
           Case{kHour, Duration{1}, kBackoffCapMin},
           Case{kHour, Duration{0}, kBackoffCap},  // it has ended: nothing is left to be saved
           Case{kHour, Duration{-5'000}, kBackoffCap},
           Case{Duration{80'000}, Duration{60'000}, Duration{10'000}},
       }) {
    EXPECT_EQ(backoff_cap(lifetime, left), cap) << left.count();
  }
}

TEST(Backoff, P7AfterATokenThatWasDeadOnArrivalTenSecondsAtLeastAndAMinuteAtMost) {
  Random random(3);
  Duration most{0};
  for (int i = 0; i < 2'000; ++i) {
    const Duration delay = dead_arrival_delay(1 + i % 20, random);
    ASSERT_GE(delay, kDeadArrivalGapMin);
    ASSERT_LE(delay, kDeadArrivalGapMax);
    most = std::max(most, delay);
  }
  EXPECT_GT(most, kDeadArrivalGapMax / 2) << "it grows";
}

}  // namespace
}  // namespace rota
