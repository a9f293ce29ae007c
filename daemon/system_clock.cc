#include "daemon/system_clock.h"

#include <ctime>

#include "base/check.h"

namespace rota {
namespace {

Duration read(clockid_t clock) {
  timespec time{};
  ROTA_CHECK(::clock_gettime(clock, &time) == 0);
  return std::chrono::seconds{time.tv_sec} +
         std::chrono::floor<Duration>(std::chrono::nanoseconds{time.tv_nsec});
}

}  // namespace

Now SystemClock::now() const {
  return {.wall = WallTime{read(CLOCK_REALTIME)}, .boot = BootTime{read(CLOCK_BOOTTIME)}};
}

}  // namespace rota
