#include "base/small_optional.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace rota {
namespace {

enum class Id : std::int64_t {};

TEST(SmallOptional, HasAValueOrNoneInTheValuesOwnSize) {
  static_assert(sizeof(SmallOptional<WallTime>) == sizeof(WallTime));
  SmallOptional<WallTime> time;
  EXPECT_FALSE(time);
  EXPECT_EQ(time, std::nullopt);
  time = WallTime{};
  ASSERT_TRUE(time.has_value()) << "the year 1970 is a time";
  EXPECT_EQ(*time, WallTime{});
  time = std::optional<WallTime>();
  EXPECT_FALSE(time);
  time = std::optional(WallTime{Duration{5}});
  EXPECT_EQ(time, WallTime{Duration{5}});
  time.reset();
  EXPECT_FALSE(time);
}

TEST(SmallOptional, AnIdOfZeroIsNone) {
  SmallOptional<Id> id;
  EXPECT_FALSE(id);
  id = Id{1};
  EXPECT_TRUE(id);
  id = Id{};
  EXPECT_FALSE(id);
}

TEST(SmallOptional, ANumberOfZeroIsANumber) {
  SmallOptional<std::int64_t> number;
  EXPECT_FALSE(number);
  EXPECT_EQ(number.value_or(7), 7);
  number = 0;
  EXPECT_TRUE(number);
  EXPECT_EQ(number.value_or(7), 0);
}

}  // namespace
}  // namespace rota
