#include "serve/turn.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rota {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(PausesTest, AnOfferThatNobodyTookIsMadeAgainAtOnce) {
  Pauses pauses;
  EXPECT_FALSE(pauses.is_owed());
  EXPECT_TRUE(pauses.may_offer(microseconds{30}));
}

// Otherwise a program that computes would have a slice of 3 ms for each 30 us of the loop's.
TEST(PausesTest, P11AfterADearOneTheLoopRunsForAsLongFirst) {
  Pauses pauses;
  pauses.was_dear(milliseconds{3}, milliseconds{100});
  ASSERT_TRUE(pauses.is_owed());
  EXPECT_FALSE(pauses.may_offer(milliseconds{100} + microseconds{30}));
  EXPECT_FALSE(pauses.may_offer(milliseconds{103} - microseconds{1}));
  EXPECT_TRUE(pauses.may_offer(milliseconds{103}));
  EXPECT_FALSE(pauses.is_owed()) << "it is paid back";
}

}  // namespace
}  // namespace rota
