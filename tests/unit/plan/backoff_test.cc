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

}  // namespace
}  // namespace rota
