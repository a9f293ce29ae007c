#include <gtest/gtest.h>

#include "sandbox/rate_window.h"
#include "unit/sandbox/fixture.h"

namespace rota::sandbox {
namespace {

constexpr BootTime kStart{hours{1}};

TEST(RateWindow, ALimitOfCallsPassesAndOneMoreDoesNot) {
  RateWindow window(minutes{5});
  EXPECT_TRUE(window.admit(kStart, 3));
  EXPECT_TRUE(window.admit(kStart + minutes{1}, 3));
  EXPECT_TRUE(window.admit(kStart + minutes{2}, 3));
  EXPECT_FALSE(window.admit(kStart + minutes{3}, 3));
  EXPECT_EQ(window.peak(), 4U);
}

TEST(RateWindow, ACallLeavesExactlyOneWindowLater) {
  RateWindow early(minutes{5});
  EXPECT_TRUE(early.admit(kStart, 1));
  EXPECT_FALSE(early.admit(kStart + minutes{5} - Duration{1}, 1));
  RateWindow late(minutes{5});
  EXPECT_TRUE(late.admit(kStart, 1));
  EXPECT_TRUE(late.admit(kStart + minutes{5}, 1));
  EXPECT_EQ(late.peak(), 1U) << "calls one window apart do not share one";
}

TEST(RateWindow, RefusedCallsCount) {
  RateWindow window(minutes{5});
  EXPECT_TRUE(window.admit(kStart, 1));
  EXPECT_FALSE(window.admit(kStart + minutes{4}, 1));
  EXPECT_FALSE(window.admit(kStart + minutes{6}, 1));
  EXPECT_TRUE(window.admit(kStart + minutes{11}, 1));
}

TEST(RateWindow, WaitIsTheTimeToTheFirstCallThatPasses) {
  RateWindow window(minutes{5});
  EXPECT_EQ(window.wait(kStart, 2), Duration{0});
  window.admit(kStart, 2);
  window.admit(kStart + minutes{1}, 2);
  const BootTime now = kStart + minutes{2};
  window.admit(now, 2);
  const Duration wait = window.wait(now, 2);
  EXPECT_EQ(wait, minutes{4});
  RateWindow copy = window;
  EXPECT_FALSE(copy.admit(now + wait - Duration{1}, 2));
  EXPECT_TRUE(window.admit(now + wait, 2));
}

TEST(RateWindow, ZeroIsNoLimitButStillCounts) {
  RateWindow window(minutes{5});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(window.admit(kStart, 0));
  EXPECT_EQ(window.peak(), 10U);
  EXPECT_EQ(window.count(kStart + minutes{5}), 0U);
}

TEST_F(CircleTest, CallsPastTheLimitAre429AndHaveNoEffect) {
  set(R"({"rate_limit":2})");
  EXPECT_EQ(issue().status, 200);
  EXPECT_EQ(post(kIssuePath, "{}").status, 404) << "a breach counts too";
  const Reply reply = issue();
  EXPECT_EQ(reply.status, 429);
  EXPECT_TRUE(reply.headers.empty());
  EXPECT_EQ(circle_.ledger().tokens().size(), 2U);
  advance(minutes{5});
  EXPECT_EQ(issue().status, 200);
  const auto rate = stats().at("rate").as_object();
  EXPECT_EQ(rate.at("peak"), 3);
  EXPECT_EQ(rate.at("throttled"), 1);
  EXPECT_EQ(rate.at("in_window"), 1);
}

TEST_F(CircleTest, ControlCallsDoNotCount) {
  for (int i = 0; i < 5; ++i) stats();
  EXPECT_EQ(stats().at("rate").at("peak"), 0);
  EXPECT_EQ(stats().at("calls_total"), 0);
}

TEST_F(CircleTest, RetryAfterInSecondsIsRoundedUp) {
  set(R"({"rate_limit":1,"retry_after":"seconds"})");
  issue();
  advance(Duration{500});
  const Reply reply = issue();
  ASSERT_EQ(reply.headers.size(), 1U);
  EXPECT_EQ(reply.headers[0].first, "Retry-After");
  // The refused call itself is what has to leave the window.
  EXPECT_EQ(reply.headers[0].second, "300");
}

TEST_F(CircleTest, RetryAfterAsDateIsByCirclesClock) {
  set(R"({"rate_limit":1,"retry_after":"date","clock_offset":"-90s"})");
  issue();
  const Reply reply = issue();
  ASSERT_EQ(reply.headers.size(), 1U);
  EXPECT_EQ(reply.headers[0].second, "Wed, 20 Mar 2024 16:58:18 GMT");
}

}  // namespace
}  // namespace rota::sandbox
