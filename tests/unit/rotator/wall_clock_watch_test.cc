#include "rotator/wall_clock_watch.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <sstream>
#include <string>

namespace rota {
namespace {

// Setting the machine's clock is no test's business: the kernel says what the timer waits for.
TEST(WallClockWatch, IsATimerThatAStepOfTheWallClockCancels) {
  boost::asio::io_context loop;
  const auto watch = WallClockWatch::create(loop.get_executor(), [] {});
  ASSERT_TRUE(watch) << watch.error().message;
  std::ifstream info("/proc/self/fdinfo/" + std::to_string((*watch)->native_handle()));
  std::stringstream text;
  text << info.rdbuf();
  EXPECT_NE(text.str().find("clockid: 0"), std::string::npos) << text.str();
  EXPECT_NE(text.str().find("settime flags: 03"), std::string::npos)
      << "TFD_TIMER_ABSTIME and TFD_TIMER_CANCEL_ON_SET: " << text.str();
  (*watch)->cancel();
  loop.run();  // nothing is left to wait for
}

}  // namespace
}  // namespace rota
