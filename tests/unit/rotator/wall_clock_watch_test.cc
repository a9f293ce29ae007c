#include "rotator/wall_clock_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

// Setting the machine's clock is no test's business. The linker leads this binary's calls of read()
// here (--wrap), so that a timer can say what the kernel says of one after the clock was set.
namespace {
int set_clock_on_fd = -1;
}
extern "C" ssize_t __real_read(int fd, void* bytes, size_t size);
extern "C" ssize_t __wrap_read(int fd, void* bytes, size_t size) {
  const ssize_t got = __real_read(fd, bytes, size);
  if (fd != set_clock_on_fd) return got;
  errno = ECANCELED;
  return -1;
}

namespace rota {
namespace {

class WallClockWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = WallClockWatch::create(loop.get_executor(), [this] { ++told; });
    ASSERT_TRUE(made) << made.error().message;
    watch = *std::move(made);
  }
  void TearDown() override { set_clock_on_fd = -1; }

  // What the kernel says the timer waits for.
  std::string timer() const {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(watch->native_handle()));
    std::stringstream text;
    text << info.rdbuf();
    return text.str();
  }
  void expect_armed() const {
    const std::string text = timer();
    EXPECT_NE(text.find("clockid: 0"), std::string::npos) << text;
    EXPECT_NE(text.find("settime flags: 03"), std::string::npos)
        << "TFD_TIMER_ABSTIME and TFD_TIMER_CANCEL_ON_SET: " << text;
    EXPECT_EQ(text.find("it_value: (0, 0)"), std::string::npos) << text;
  }
  // The timer becomes readable, as it does when it expires and when the kernel cancels it.
  void wake() {
    itimerspec soon{};
    soon.it_value.tv_nsec = 1;
    ASSERT_EQ(::timerfd_settime(watch->native_handle(), 0, &soon, nullptr), 0);
    ASSERT_EQ(loop.run_one_for(std::chrono::seconds{20}), 1U);
  }

  boost::asio::io_context loop;
  int told = 0;
  std::unique_ptr<WallClockWatch> watch;
};

TEST_F(WallClockWatchTest, IsATimerThatAStepOfTheWallClockCancels) {
  expect_armed();
  watch.reset();
  loop.run();  // nothing is left to wait for
  EXPECT_EQ(told, 0);
}

TEST_F(WallClockWatchTest, TellsOfEachStepAndIsArmedAgainAfterIt) {
  set_clock_on_fd = watch->native_handle();
  for (int step = 1; step <= 3; ++step) {
    wake();
    EXPECT_EQ(told, step);
    expect_armed();
  }
}

TEST_F(WallClockWatchTest, AnExpiryIsNoStep) {
  wake();
  EXPECT_EQ(told, 0);
  expect_armed();
}

}  // namespace
}  // namespace rota
