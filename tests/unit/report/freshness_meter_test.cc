#include "report/freshness_meter.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

using namespace std::chrono_literals;

TEST(FreshnessMeter, TakesEachReadingForTheTimeSinceTheOneBefore) {
  FreshnessMeter meter;
  const BootTime start{1h};
  meter.read(10, 0, start);
  EXPECT_EQ(meter.totals().kept_seconds, 0) << "nobody knows what was before";
  meter.read(10, 2, start + 5s);
  EXPECT_EQ(meter.totals().kept_seconds, 50);
  EXPECT_EQ(meter.totals().overdue_seconds, 10);
  meter.read(4, 0, start + 5s + 500ms);
  EXPECT_EQ(meter.totals().kept_seconds, 52);
  EXPECT_EQ(meter.totals().overdue_seconds, 10);
}

}  // namespace
}  // namespace rota
