#include "base/random.h"

#include <gmock/gmock.h>

#include <array>
#include <set>

namespace rota {
namespace {

constexpr int kDraws = 10'000;

TEST(Random, GivesTheKnownNumbersOfSplitmix64) {
  // The first outputs for these seeds by the reference implementation (Vigna, splitmix64.c).
  Random zero(0);
  EXPECT_EQ(zero.next(), 0xE220A8397B1DCDAFU);
  EXPECT_EQ(zero.next(), 0x6E789E6AA1B965F4U);
  EXPECT_EQ(zero.next(), 0x06C45D188009454FU);
  Random seeded(1'234'567);
  EXPECT_EQ(seeded.next(), 6'457'827'717'110'365'317U);
  EXPECT_EQ(seeded.next(), 3'203'168'211'198'807'973U);
}

TEST(Random, ReplaysBySeedAndDiffersWithoutIt) {
  Random a(7);
  Random b(7);
  Random c(8);
  int same = 0;
  for (int i = 0; i < kDraws; ++i) {
    const auto value = a.next();
    ASSERT_EQ(value, b.next()) << i;
    same += value == c.next() ? 1 : 0;
  }
  EXPECT_EQ(same, 0);
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  Random random(1);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.below(1), 0U);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < kDraws; ++i) seen.insert(random.below(10));
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_EQ(*seen.rbegin(), 9U);
}

TEST(Random, FractionsFillTheUnitInterval) {
  Random random(2);
  double least = 1;
  double most = 0;
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.fraction();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    least = std::min(least, value);
    most = std::max(most, value);
    sum += value;
  }
  EXPECT_LT(least, 0.01);
  EXPECT_GT(most, 0.99);
  EXPECT_NEAR(sum / kDraws, 0.5, 0.02);
}

TEST(Random, UpToIncludesBothEndsAndNothingBeyond) {
  Random random(3);
  EXPECT_EQ(random.up_to(Duration{0}), Duration{0});
  EXPECT_EQ(random.up_to(Duration{-5}), Duration{0});
  EXPECT_EQ(random.up_to(Duration::min()), Duration{0});
  std::set<Duration> seen;
  for (int i = 0; i < kDraws; ++i) seen.insert(random.up_to(Duration{3}));
  EXPECT_THAT(seen, testing::ElementsAre(Duration{0}, Duration{1}, Duration{2}, Duration{3}));
  for (int i = 0; i < kDraws; ++i) ASSERT_GE(random.up_to(Duration::max()), Duration{0});
}

}  // namespace
}  // namespace rota
