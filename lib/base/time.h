#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rota {

// Rota counts in milliseconds, as Circle's timestamps do.
using Duration = std::chrono::milliseconds;

// A moment in UTC, by Circle's clock or by this machine's: a variable's name says which.
using WallTime = std::chrono::sys_time<Duration>;

// A clock type without now(): time enters pure code as an argument only. It counts from boot,
// suspend included (CLOCK_BOOTTIME), and never steps.
struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock, duration>;
  static constexpr bool is_steady = true;
};
using BootTime = BootClock::time_point;

// One reading of both clocks.
struct Now {
  WallTime wall;  // this machine's idea of UTC
  BootTime boot;
};

// The clocks of the machine; a test's stand-in moves only when it is told to.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

// Parses "500ms", "2s", "10m", "3h", "3d": a whole number and a unit, nothing else. kInvalid
// otherwise; the message does not repeat the text, which may be a secret in the wrong place.
Result<Duration> parse_duration(std::string_view text);

// The shortest form that parse_duration() reads back: 600000 ms is "10m".
std::string format_duration(Duration value);

// Parses a time of RFC 3339, "2024-03-20T16:54:47.274Z": the fraction is optional, "T" and "Z" may
// be lower case, and an offset such as "+01:00" may stand for "Z".
std::optional<WallTime> parse_iso8601(std::string_view text);

// Always with milliseconds, as Circle writes it.
std::string format_iso8601(WallTime time);

// Parses an HTTP date in its preferred form, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::optional<WallTime> parse_http_date(std::string_view text);

// In that form. Cheap enough for every fetch.
inline constexpr std::size_t kHttpDateBytes = 29;
std::array<char, kHttpDateBytes> http_date(WallTime time);

}  // namespace rota
