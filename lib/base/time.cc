#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace rota {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::seconds;
using std::chrono::year;
using std::chrono::year_month_day;

// A cursor over a fixed-format text: each step either consumes exactly what it names or fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool digits(std::size_t count, int& value) {
    if (rest_.size() < count) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
    }
    std::from_chars(rest_.data(), rest_.data() + count, value);
    rest_.remove_prefix(count);
    return true;
  }
  bool literal(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // A fraction of a second of one to nine digits; digits after the millisecond are dropped.
  bool fraction(int& millis) {
    int scale = 100;
    std::size_t n = 0;
    millis = 0;
    for (; n < rest_.size() && rest_[n] >= '0' && rest_[n] <= '9'; ++n) {
      millis += (rest_[n] - '0') * scale;
      scale /= 10;
    }
    rest_.remove_prefix(n);
    return n >= 1 && n <= 9;
  }
  bool at_end() const { return rest_.empty(); }
  std::string_view take(std::size_t count) {
    auto taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

struct Fields {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0;
};

std::optional<WallTime> assemble(const Fields& f) {
  const year_month_day date{year{f.y}, month{static_cast<unsigned>(f.mo)},
                            day{static_cast<unsigned>(f.d)}};
  if (!date.ok() || f.h > 23 || f.mi > 59 || f.s > 60) return std::nullopt;
  return std::chrono::sys_days{date} + hours{f.h} + minutes{f.mi} + seconds{f.s} + Duration{f.ms};
}

// RFC 3339's time-offset: "Z" or "z", or hours and minutes ahead of UTC.
std::optional<minutes> utc_offset(Scanner& in) {
  if (in.literal("Z") || in.literal("z")) return minutes{0};
  const bool behind = in.literal("-");
  int h = 0;
  int mi = 0;
  if (!behind && !in.literal("+")) return std::nullopt;
  if (!in.digits(2, h) || !in.literal(":") || !in.digits(2, mi)) return std::nullopt;
  if (h > 23 || mi > 59) return std::nullopt;
  const minutes ahead = hours{h} + minutes{mi};
  return behind ? -ahead : ahead;
}

struct Unit {
  std::string_view name;
  Duration length;
};
constexpr std::array<Unit, 5> kUnits{
    {{"d", days{1}}, {"h", hours{1}}, {"m", minutes{1}}, {"s", seconds{1}}, {"ms", Duration{1}}}};
constexpr std::int64_t kDurationDaysMax = 36'500;

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit_name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (status == std::errc{} && count >= 0 && text[0] != '-') {
    for (const Unit& unit : kUnits) {
      if (unit.name != unit_name) continue;
      if (count > Duration{days{kDurationDaysMax}} / unit.length) {
        return fail(ErrorKind::kInvalid, "a duration is at most a hundred years");
      }
      return count * unit.length;
    }
  }
  // The text is not repeated: it may be a secret that was put in a duration's place.
  return fail(ErrorKind::kInvalid,
              "not a duration: a whole number and a unit (ms, s, m, h, d), such as \"10m\"");
}

std::string format_duration(Duration value) {
  for (const Unit& unit : kUnits) {
    if (value.count() != 0 && value % unit.length == Duration{0}) {
      return fmt::format("{}{}", value / unit.length, unit.name);
    }
  }
  return "0s";
}

std::optional<WallTime> parse_iso8601(std::string_view text) {
  Scanner in(text);
  Fields f;
  if (!(in.digits(4, f.y) && in.literal("-") && in.digits(2, f.mo) && in.literal("-") &&
        in.digits(2, f.d) && (in.literal("T") || in.literal("t")) && in.digits(2, f.h) &&
        in.literal(":") && in.digits(2, f.mi) && in.literal(":") && in.digits(2, f.s))) {
    return std::nullopt;
  }
  if (in.literal(".") && !in.fraction(f.ms)) return std::nullopt;
  const auto offset = utc_offset(in);
  const auto local = assemble(f);
  if (!offset || !local || !in.at_end()) return std::nullopt;
  // The offset may lead out of the years that this form can write.
  constexpr WallTime kFirst = std::chrono::sys_days{year{0} / 1 / 1};
  constexpr WallTime kEnd = std::chrono::sys_days{year{10'000} / 1 / 1};
  const WallTime time = *local - *offset;
  return time >= kFirst && time < kEnd ? std::optional(time) : std::nullopt;
}

// By hand: each token that comes and each reply has one, and fmt takes several times as long.
std::array<char, kIso8601Bytes> iso8601(WallTime time) {
  std::array<char, kIso8601Bytes> text{};
  char* out = text.data();
  const auto put = [&out](auto number, int digits, char behind) {
    auto rest = static_cast<unsigned>(number);
    for (int i = digits - 1; i >= 0; --i, rest /= 10) out[i] = static_cast<char>('0' + rest % 10);
    out[digits] = behind;
    out += digits + 1;
  };
  const auto day_start = std::chrono::floor<days>(time);
  const year_month_day date{day_start};
  const std::chrono::hh_mm_ss clock{time - day_start};
  put(static_cast<int>(date.year()), 4, '-');
  put(static_cast<unsigned>(date.month()), 2, '-');
  put(static_cast<unsigned>(date.day()), 2, 'T');
  put(clock.hours().count(), 2, ':');
  put(clock.minutes().count(), 2, ':');
  put(clock.seconds().count(), 2, '.');
  put(clock.subseconds().count(), 3, 'Z');
  return text;
}

std::string format_iso8601(WallTime time) {
  const year_month_day date{std::chrono::floor<days>(time)};
  const int year_number = static_cast<int>(date.year());
  if (year_number >= 0 && year_number <= 9'999) {
    const auto text = iso8601(time);
    return {text.data(), text.size()};
  }
  const std::chrono::hh_mm_ss clock{time - std::chrono::floor<days>(time)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year_number,
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  Scanner in(text);
  Fields f;
  in.take(3);  // the weekday says nothing that the date does not
  if (!(in.literal(", ") && in.digits(2, f.d) && in.literal(" "))) return std::nullopt;
  const std::string_view name = in.take(3);
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) f.mo = static_cast<int>(i) + 1;
  }
  if (!(in.literal(" ") && in.digits(4, f.y) && in.literal(" ") && in.digits(2, f.h) &&
        in.literal(":") && in.digits(2, f.mi) && in.literal(":") && in.digits(2, f.s) &&
        in.literal(" GMT") && in.at_end())) {
    return std::nullopt;
  }
  return assemble(f);
}

std::array<char, kHttpDateBytes> http_date(WallTime time) {
  std::array<char, kHttpDateBytes> text{};
  char* out = text.data();
  const auto put = [&out](std::string_view part) { out = std::ranges::copy(part, out).out; };
  const auto put_two = [&out](unsigned number) {
    *out++ = static_cast<char>('0' + number / 10 % 10);
    *out++ = static_cast<char>('0' + number % 10);
  };
  const auto day_start = std::chrono::floor<days>(time);
  const year_month_day date{day_start};
  const auto second = std::chrono::floor<seconds>(time - day_start).count();
  constexpr auto kPerHour = seconds{hours{1}}.count();
  constexpr auto kPerMinute = seconds{minutes{1}}.count();
  const auto year_number = static_cast<unsigned>(static_cast<int>(date.year()));
  put(kWeekdays.at(std::chrono::weekday{day_start}.c_encoding()));
  put(", ");
  put_two(static_cast<unsigned>(date.day()));
  put(" ");
  put(kMonths.at(static_cast<unsigned>(date.month()) - 1));
  put(" ");
  put_two(year_number / 100);
  put_two(year_number % 100);
  put(" ");
  put_two(static_cast<unsigned>(second / kPerHour));
  put(":");
  put_two(static_cast<unsigned>(second % kPerHour / kPerMinute));
  put(":");
  put_two(static_cast<unsigned>(second % kPerMinute));
  put(" GMT");
  return text;
}

}  // namespace rota
