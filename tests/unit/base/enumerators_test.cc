#include "base/enumerators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace rota {
namespace {

using testing::ElementsAre;

enum class Fruit : std::uint8_t { kApple, kPear, kPlum };
enum class Stored { kThird = 3, kFirst = 1, kSecond = 2, kFarOff = 9 };

TEST(Enumerators, AllOfARowAreFoundInTheOrderOfTheirNumbers) {
  EXPECT_THAT(enumerators_from<Fruit::kApple>(),
              ElementsAre(Fruit::kApple, Fruit::kPear, Fruit::kPlum));
  EXPECT_THAT(enumerators_from<Stored::kFirst>(),
              ElementsAre(Stored::kFirst, Stored::kSecond, Stored::kThird));
}

TEST(Enumerators, TheLastIsTheOneBeforeAGap) {
  EXPECT_EQ(last_enumerator<Fruit::kApple>(), Fruit::kPlum);
  EXPECT_EQ(last_enumerator<Stored::kFirst>(), Stored::kThird);
  EXPECT_EQ(last_enumerator<Stored::kFarOff>(), Stored::kFarOff);
}

TEST(Enumerators, ANumberWithoutANameIsNone) {
  EXPECT_TRUE(is_enumerator<Stored::kFarOff>());
  EXPECT_FALSE(is_enumerator<Stored{4}>());
  EXPECT_FALSE(is_enumerator<Stored{-1}>());
}

}  // namespace
}  // namespace rota
