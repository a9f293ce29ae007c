#include "daemon/system_clock.h"

#include <ctime>
#include <fstream>
#include <random>
#include <string>

#include "base/check.h"
#include "base/fingerprint.h"

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

BootId this_boot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  if (std::getline(file, text)) return BootId{static_cast<std::int64_t>(fingerprint_of(text))};
  std::random_device random;
  return BootId{static_cast<std::int64_t>((std::uint64_t{random()} << 32U) | random())};
}

}  // namespace rota
