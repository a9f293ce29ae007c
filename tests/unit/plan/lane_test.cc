#include "plan/lane.h"

#include <gtest/gtest.h>

#include <array>

#include "base/random.h"

namespace rota {
namespace {

using Ready = std::array<bool, kLaneCount>;

TEST(LanePicker, P7NothingReadyPicksNothing) {
  LanePicker picker;
  EXPECT_EQ(picker.pick({}), std::nullopt);
}

TEST(LanePicker, P7TheMostUrgentReadyLaneGoesFirst) {
  for (std::size_t first = 0; first < kLaneCount; ++first) {
    Ready ready{};
    for (std::size_t i = first; i < kLaneCount; ++i) ready[i] = true;
    LanePicker picker;
    for (std::uint64_t i = 1; i < LanePicker::kLeastShare; ++i) {
      EXPECT_EQ(picker.pick(ready), kLanes[first]) << "pick " << i;
    }
  }
}

TEST(LanePicker, P7EveryEighthPickServesTheLaneServedLongestAgo) {
  LanePicker picker;
  Ready all{};
  all.fill(true);
  std::array<int, kLaneCount> picks{};
  for (int i = 0; i < 80; ++i) ++picks[index_of(*picker.pick(all))];
  // Ten turns of fairness, shared among the five lanes that are never the most urgent.
  EXPECT_EQ(picks[0], 70);
  for (std::size_t lane = 1; lane < kLaneCount; ++lane) EXPECT_GE(picks[lane], 2) << lane;
}

TEST(LanePicker, P7NoReadyLaneStarves) {
  // Whatever the others do, a lane that stays ready is served within its least share.
  constexpr int kBound = static_cast<int>(LanePicker::kLeastShare * kLaneCount);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (std::size_t steady = 0; steady < kLaneCount; ++steady) {
      Random random(seed);
      LanePicker picker;
      int waited = 0;
      for (int i = 0; i < 2'000; ++i) {
        Ready ready{};
        for (bool& lane : ready) lane = random.below(10) != 0;
        ready[steady] = true;
        const auto lane = picker.pick(ready);
        ASSERT_TRUE(lane && ready[index_of(*lane)]);
        waited = index_of(*lane) == steady ? 0 : waited + 1;
        ASSERT_LE(waited, kBound) << "seed " << seed << " lane " << name_of(kLanes[steady]);
      }
    }
  }
}

}  // namespace
}  // namespace rota
