#include "rotator/boot_timer.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>

namespace rota {
namespace {

constexpr BootTime kPast{Duration{0}};  // a zero, which to the kernel would mean never
constexpr BootTime kNever{std::chrono::hours{24 * 365 * 100}};

class BootTimerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = BootTimer::create(loop.get_executor());
    ASSERT_TRUE(made) << made.error().message;
    timer = *std::move(made);
    timer->on_fire([this] { ++fired; });
  }

  boost::asio::io_context loop;
  int fired = 0;
  std::unique_ptr<BootTimer> timer;
};

TEST_F(BootTimerTest, FiresOnceEachTimeThatItIsSet) {
  for (int time = 1; time <= 3; ++time) {
    timer->set(kPast);
    loop.run_one_for(std::chrono::seconds{20});
    EXPECT_EQ(fired, time);
    EXPECT_EQ(loop.poll(), 0U);
  }
}

TEST_F(BootTimerTest, WhatIsSetLaterReplacesWhatWasSet) {
  timer->set(kPast);
  timer->set(kNever);
  loop.poll();
  timer->set(kPast);
  timer->set(std::nullopt);
  loop.poll();
  EXPECT_EQ(fired, 0);
}

TEST_F(BootTimerTest, NothingIsLeftToWaitForWithoutIt) {
  timer->set(kPast);
  timer.reset();
  loop.run();
  EXPECT_EQ(fired, 0);
}

}  // namespace
}  // namespace rota
