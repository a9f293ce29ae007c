#include "base/sharded_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <unordered_map>

namespace rota {
namespace {

TEST(ShardedMap, FindsWhatWasAddedWhereItWasAdded) {
  ShardedMap<int, std::string> map;
  constexpr int kMany = 10'000;
  std::string& first = map.try_emplace(0).first;
  first = "0";
  for (int i = 1; i < kMany; ++i) {
    const auto [value, added] = map.try_emplace(i);
    ASSERT_TRUE(added);
    value = std::to_string(i);
  }
  EXPECT_EQ(map.find(0), &first) << "growing moves no element";
  EXPECT_FALSE(map.try_emplace(7).second);
  EXPECT_EQ(map.size(), static_cast<std::size_t>(kMany));
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(*map.find(i), std::to_string(i));
  EXPECT_EQ(map.find(kMany), nullptr);
  for (int i = 0; i < kMany; i += 2) map.erase(i);
  map.erase(kMany);
  EXPECT_EQ(map.size(), static_cast<std::size_t>(kMany / 2));
  EXPECT_EQ(map.find(2), nullptr);
  EXPECT_EQ(*map.find(3), "3");
}

TEST(ShardedMap, GoesThroughAllAndErasesThoseThatAreOver) {
  constexpr int kMany = 1'000;
  ShardedMap<int, int> map;
  for (int i = 0; i < kMany; ++i) map.try_emplace(i).first = i % 3;
  map.erase_if([](int rest) { return rest == 0; });
  EXPECT_EQ(map.size(), 666U);
  EXPECT_EQ(map.find(3), nullptr);
  std::size_t seen = 0;
  map.for_each([&](int key, int& rest) {
    EXPECT_EQ(rest, key % 3);
    rest = 7;
    ++seen;
  });
  EXPECT_EQ(seen, map.size());
  EXPECT_EQ(*map.find(4), 7);
}

// Keys in a row are the usual ones: each shard has its part of them.
struct CountingHash {
  static inline std::size_t calls = 0;
  std::size_t operator()(int key) const noexcept {  // so that nobody keeps its results
    ++calls;
    return static_cast<std::size_t>(key);
  }
};

// The most elements that one addition looked at.
template <class Map>
std::size_t most_in_one_addition(Map map) {
  constexpr int kMany = 100'000;
  std::size_t most = 0;
  for (int i = 0; i < kMany; ++i) {
    const std::size_t before = CountingHash::calls;
    map.try_emplace(i);
    most = std::max(most, CountingHash::calls - before);
  }
  return most;
}

TEST(ShardedMap, P8NoSingleAdditionMovesAllElements) {
  constexpr std::size_t kFew = 2'000;
  EXPECT_GT(most_in_one_addition(std::unordered_map<int, int, CountingHash>()), kFew);
  EXPECT_LT(most_in_one_addition(ShardedMap<int, int, CountingHash>()), kFew);
}

}  // namespace
}  // namespace rota
