#include "base/chunked_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <vector>

namespace rota {
namespace {

using testing::ElementsAre;

std::vector<std::int64_t> values_of(const ChunkedSet<std::int64_t>& set) {
  return {set.begin(), set.end()};
}

TEST(ChunkedSet, IsEmptyAtFirst) {
  const ChunkedSet<std::int64_t> set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.size(), 0U);
  EXPECT_EQ(set.begin(), set.end());
  EXPECT_EQ(set.lower_bound(1), set.end());
}

TEST(ChunkedSet, KeepsEachValueOnceAndInOrder) {
  ChunkedSet<std::int64_t> set;
  for (const std::int64_t value : {3, 1, 2}) EXPECT_TRUE(set.insert(value));
  EXPECT_FALSE(set.insert(2));
  EXPECT_EQ(set.size(), 3U);
  EXPECT_THAT(values_of(set), ElementsAre(1, 2, 3));
  EXPECT_EQ(set.front(), 1);
  EXPECT_EQ(set.back(), 3);
  EXPECT_EQ(set.erase(2), 1U);
  EXPECT_EQ(set.erase(2), 0U);
  EXPECT_EQ(set.erase(4), 0U);
  EXPECT_THAT(values_of(set), ElementsAre(1, 3));
  EXPECT_EQ(*set.lower_bound(2), 3);
}

// A std::set tells what has to come out of a long series of random steps. The set grows to many
// chunks and shrinks to none, three times.
TEST(ChunkedSet, DoesAsASetDoes) {
  std::mt19937_64 random(7);
  std::set<std::int64_t> expected;
  ChunkedSet<std::int64_t> set;
  constexpr std::int64_t kValues = 20'000;
  for (int step = 0; step < 120'000; ++step) {
    const auto value = static_cast<std::int64_t>(random() % kValues);
    const bool grows = step / 20'000 % 2 == 0;
    if ((random() % 8 != 0) == grows) {
      ASSERT_EQ(set.insert(value), expected.insert(value).second) << step;
    } else {
      ASSERT_EQ(set.erase(value), expected.erase(value)) << step;
    }
    if (!grows && !expected.empty()) {
      ASSERT_EQ(set.erase(set.front()), 1U) << step;
      expected.erase(expected.begin());
    }
    ASSERT_EQ(set.size(), expected.size());
    const auto at = expected.lower_bound(value);
    const auto found = set.lower_bound(value);
    ASSERT_EQ(found == set.end(), at == expected.end()) << step;
    if (step % 100 == 0) {
      ASSERT_EQ(set.count_before(value), std::distance(expected.begin(), at)) << step;
    }
    if (at != expected.end()) {
      ASSERT_EQ(*found, *at) << step;
      ASSERT_EQ(set.front(), *expected.begin());
      ASSERT_EQ(set.back(), *expected.rbegin());
    }
    if (step % 5'000 == 0) {
      ASSERT_EQ(values_of(set), std::vector(expected.begin(), expected.end())) << step;
    }
  }
}

}  // namespace
}  // namespace rota
