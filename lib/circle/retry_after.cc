#include "circle/retry_after.h"

#include <algorithm>

#include "base/text.h"
#include "circle/classify.h"

namespace rota {

std::optional<Duration> parse_retry_after(std::string_view text, WallTime now) {
  text = trim(text);
  Duration after{0};
  if (const auto date = parse_http_date(text)) {
    after = *date - now;
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
