#include "circle/retry_after.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "circle/classify.h"

namespace rota {
namespace {

// "Sunday, 06-Nov-94 08:49:37 GMT": the form of RFC 850, which RFC 9110 asks to read. A pause never
// leads into another century.
std::optional<WallTime> parse_rfc850_date(std::string_view text, WallTime now) {
  const auto comma = text.find(", ");
  if (comma == std::string_view::npos || comma < 3) return std::nullopt;
  const std::string_view rest = text.substr(comma);  // ", 06-Nov-94 08:49:37 GMT"
  if (rest.size() != 24 || rest[4] != '-' || rest[8] != '-') return std::nullopt;
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  return parse_http_date(fmt::format("{}{} {} {:02}{}", text.substr(0, 3), rest.substr(0, 4),
                                     rest.substr(5, 3), static_cast<int>(today.year()) / 100,
                                     rest.substr(9)));
}

}  // namespace

std::optional<Duration> parse_retry_after(std::string_view text, WallTime now) {
  text = trim(text);
  Duration after{0};
  if (const auto date = parse_http_date(text)) {
    after = *date - now;
  } else if (const auto old_form = parse_rfc850_date(text, now)) {
    after = *old_form - now;
  } else {
    for (const char c : text) {
      if (c < '0' || c > '9') return std::nullopt;
      after = std::min(after * 10 + std::chrono::seconds{c - '0'}, kRetryAfterMax);
    }
  }
  if (after <= Duration{0}) return std::nullopt;
  return std::min(after, kRetryAfterMax);
}

}  // namespace rota
