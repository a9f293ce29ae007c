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

// The time since this machine's boot, including the time it was suspended (CLOCK_BOOTTIME). It
// never steps. The type has no now(): time enters pure code as an argument only.
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

// Reads the machine's clocks. In tests a stand-in takes its place, which moves only when told to.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

// Parses "500ms", "2s", "10m", "3h", "3d": a whole number and a unit, nothing else. kInvalid
// otherwise; the message does not repeat the text, which may be a secret in the wrong place.
Result<Duration> parse_duration(std::string_view text);

// The shortest form that parse_duration() reads back, of a duration that is not negative: 600000 ms
// is "10m".
std::string format_duration(Duration value);

// Parses a time of RFC 3339, "2024-03-20T16:54:47.274Z". The fraction is optional and has up to
// nine digits; digits after the millisecond are dropped. "T" and "Z" may be lower case, and an
// offset such as "+01:00" may take the place of "Z".
std::optional<WallTime> parse_iso8601(std::string_view text);

// Always with milliseconds, as Circle writes it.
std::string format_iso8601(WallTime time);
// The same, cheap enough for every fetch. Only for years from 0 to 9999.
inline constexpr std::size_t kIso8601Bytes = 24;
std::array<char, kIso8601Bytes> iso8601(WallTime time);

// Parses an HTTP date in its preferred form, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). The
// weekday is not checked.
std::optional<WallTime> parse_http_date(std::string_view text);

// Writes that form. Cheap enough for every fetch.
inline constexpr std::size_t kHttpDateBytes = 29;
std::array<char, kHttpDateBytes> http_date(WallTime time);

}  // namespace rota
