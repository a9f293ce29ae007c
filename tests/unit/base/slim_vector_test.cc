#include "base/slim_vector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace rota {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SlimVector, IsAPointerAndEmptyAtFirst) {
  static_assert(sizeof(SlimVector<std::string>) == sizeof(void*));
  SlimVector<std::string> texts;
  EXPECT_THAT(texts, IsEmpty());
  EXPECT_EQ(texts, SlimVector<std::string>());
  EXPECT_EQ(texts.erase(texts.begin(), texts.end()), texts.end());
  EXPECT_EQ(erase(texts, std::string("a")), 0U);
  texts.clear();
  EXPECT_TRUE(texts.empty());
}

TEST(SlimVector, CopiesAreIndependent) {
  const std::string is_long(50, 'x');
  SlimVector<std::string> first{"a", is_long};
  SlimVector<std::string> second = first;
  second.front() = "b";
  EXPECT_THAT(first, ElementsAre("a", is_long));
  EXPECT_THAT(second, ElementsAre("b", is_long));
  EXPECT_NE(first, second);
  second = first;
  EXPECT_EQ(first, second);
  const SlimVector<std::string>& itself = second;
  second = itself;
  EXPECT_EQ(first, second);
  first = {};
  EXPECT_THAT(first, IsEmpty());
  EXPECT_EQ(second, std::vector<std::string>({"a", is_long}));
}

TEST(SlimVector, AMoveTakesTheElementsAlong) {
  SlimVector<std::unique_ptr<int>> first;
  first.push_back(std::make_unique<int>(7));
  const int* const seven = first.front().get();
  SlimVector<std::unique_ptr<int>> second = std::move(first);
  EXPECT_EQ(second.front().get(), seven);
  first = std::move(second);
  EXPECT_EQ(first.back().get(), seven);
}

TEST(SlimVector, AnElementOfItsOwnMayBeAdded) {
  SlimVector<std::string> texts{std::string(50, 'x')};
  for (int i = 0; i < 20; ++i) texts.push_back(texts.front());
  EXPECT_EQ(texts.size(), 21U);
  EXPECT_EQ(texts.back(), std::string(50, 'x'));
}

TEST(SlimVector, WhatIsErasedIsDestroyed) {
  const auto counted = std::make_shared<int>(0);
  SlimVector<std::shared_ptr<int>> owners;
  for (int i = 0; i < 4; ++i) owners.push_back(counted);
  EXPECT_EQ(counted.use_count(), 5);
  owners.erase(owners.begin() + 1);
  EXPECT_EQ(counted.use_count(), 4);
  owners.clear();
  EXPECT_EQ(counted.use_count(), 1);
}

// A std::vector tells what has to come out of a long series of random steps.
TEST(SlimVector, DoesAsAVectorDoes) {
  std::mt19937_64 random(7);
  std::vector<std::string> expected;
  SlimVector<std::string> texts;
  for (int step = 0; step < 20'000; ++step) {
    const std::string value(random() % 40, static_cast<char>('a' + random() % 4));
    const std::size_t at = expected.empty() ? 0 : random() % expected.size();
    const auto place = static_cast<std::ptrdiff_t>(at);
    switch (random() % 6) {
      case 0:
        expected.push_back(value);
        texts.push_back(value);
        break;
      case 1:
        EXPECT_EQ(*texts.insert(texts.begin() + place, value), value);
        expected.insert(expected.begin() + place, value);
        break;
      case 2:
        if (expected.empty()) break;
        expected.erase(expected.begin() + place);
        EXPECT_EQ(texts.erase(texts.begin() + place), texts.begin() + place);
        break;
      case 3:
        ASSERT_EQ(erase(texts, value), std::erase(expected, value));
        break;
      case 4:
        if (expected.size() < 30) break;
        expected.erase(expected.begin() + 3, expected.end() - 3);
        texts.erase(texts.begin() + 3, texts.end() - 3);
        break;
      default:
        if (random() % 50 != 0) break;
        expected.clear();
        texts.clear();
    }
    ASSERT_EQ(texts, expected) << step;
    ASSERT_EQ(texts.size(), expected.size());
  }
}

}  // namespace
}  // namespace rota
