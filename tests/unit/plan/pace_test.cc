#include "plan/pace.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

constexpr Duration kWindow{10'000};
constexpr BootTime kStart{Duration{50'000}};

// How many calls go at once.
int burst(Pace& pace, BootTime now) {
  int sent = 0;
  for (; pace.may_send(now) && sent < 1'000; ++sent) pace.sent(now);
  return sent;
}

TEST(Pace, P7AfterAQuietTimeATwentiethGoesAtOnceAndThenOneAtATime) {
  Pace pace(100, kWindow);
  EXPECT_EQ(burst(pace, kStart), 5);
  for (int call = 1; call < 20; ++call) {
    const BootTime due = kStart + call * kWindow / 100;
    EXPECT_FALSE(pace.may_send(due - Duration{1})) << call;
    EXPECT_EQ(burst(pace, due), 1) << call;
  }
}

// What was held back is not made up for.
TEST(Pace, P7AfterAPauseOneGoesAndTheOthersFollowAtTheirPace) {
  Pace pace(100, kWindow);
  const BootTime end = kStart + 3 * kWindow;
  pace.hold(end);
  EXPECT_FALSE(pace.may_send(end - Duration{1}));
  for (int call = 0; call < 20; ++call) {
    EXPECT_EQ(burst(pace, end + call * kWindow / 100), 1) << call;
  }
  pace.hold(kStart);  // an earlier one changes nothing
  EXPECT_FALSE(pace.may_send(end + 19 * kWindow / 100));
}

TEST(Pace, P7CallsThatWereNotSentDoNotAddUpToABurstAfterAPause) {
  Pace pace(100, kWindow);
  const BootTime end = kStart + kWindow;
  pace.hold(end);
  for (int call = 0; call < 10; ++call) pace.never_sent();
  EXPECT_FALSE(pace.may_send(end - Duration{1}));
  EXPECT_EQ(burst(pace, end), 1);
}

}  // namespace
}  // namespace rota
