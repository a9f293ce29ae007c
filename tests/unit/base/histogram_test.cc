#include "base/histogram.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

using Time = Histogram::Time;

TEST(Histogram, CountsWhatTookAtMostABound) {
  for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
    Histogram histogram;
    histogram.add(Histogram::kBounds[i]);
    histogram.add(Histogram::kBounds[i] + Time{1});
    if (i > 0) EXPECT_EQ(histogram.at_most(i - 1), 0U);
    EXPECT_EQ(histogram.at_most(i), 1U) << "one took a little longer";
    EXPECT_EQ(histogram.at_most(i + 1), 2U);
    EXPECT_EQ(histogram.count(), 2U);
  }
}

TEST(Histogram, AddsUpAndKeepsWhatIsLongerThanAllBounds) {
  Histogram histogram;
  histogram.add(Time{1'500});
  histogram.add(std::chrono::hours{1});
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.at_most(Histogram::kBounds.size() - 1), 1U);
  EXPECT_EQ(histogram.sum(), std::chrono::hours{1} + Time{1'500});
}

TEST(Histogram, TakesLessThanNothingForNothing) {
  Histogram histogram;
  histogram.add(Time{-5});
  EXPECT_EQ(histogram.at_most(0), 1U);
  EXPECT_EQ(histogram.sum(), Time{0});
}

}  // namespace
}  // namespace rota
