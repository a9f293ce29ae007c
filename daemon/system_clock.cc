#include "daemon/system_clock.h"

#include <cctype>
#include <cstdlib>
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
  std::string text;
  if (const char* told = std::getenv("ROTA_BOOT_ID"); told != nullptr) {
    text = told;
  } else {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::getline(file, text);
  }
  // The id is the same with and without dashes.
  std::erase_if(text, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) == 0; });
  if (!text.empty()) return BootId{static_cast<std::int64_t>(fingerprint_of(text))};
  std::random_device random;
  return BootId{static_cast<std::int64_t>((std::uint64_t{random()} << 32U) | random())};
}

}  // namespace rota
