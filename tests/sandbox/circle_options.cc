#include "sandbox/circle_options.h"

#include <fmt/format.h>

#include <charconv>

namespace rota::sandbox {
namespace {

template <class E, std::size_t N>
Result<void> set_choice(const std::array<Name<E>, N>& table, std::string_view text, E& target) {
  const auto value = value_of(table, text);
  if (!value) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not {}", text, choices(table)));
  }
  target = *value;
  return {};
}

template <class T>
Result<void> set_number(std::string_view text, T least, T& target) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc{} || stop != end || value < least) {
    return fail(ErrorKind::kInvalid,
                fmt::format("\"{}\" is not a whole number of at least {}", text, least));
  }
  target = value;
  return {};
}

Result<void> set_duration(std::string_view text, Duration& target) {
  ROTA_ASSIGN(target, parse_duration(text));
  return {};
}

Result<void> set_positive(std::string_view text, Duration& target) {
  ROTA_ASSIGN(const Duration value, parse_duration(text));
  if (value == Duration{0}) return fail(ErrorKind::kInvalid, "must be more than nothing");
  target = value;
  return {};
}

Result<void> set_signed(std::string_view text, Duration& target) {
  const bool negative = text.starts_with('-');
  ROTA_ASSIGN(const Duration size, parse_duration(text.substr(negative ? 1 : 0)));
  target = negative ? -size : size;
  return {};
}

Result<void> set_by_name(CircleOptions& o, std::string_view name, std::string_view value) {
  if (name == "access_ttl") return set_duration(value, o.access_ttl);
  if (name == "refresh_ttl") return set_duration(value, o.refresh_ttl);
  if (name == "removed_mode") return set_choice(kRemovedModeNames, value, o.removed_mode);
  if (name == "messages") return set_choice(kMessagesNames, value, o.messages);
  if (name == "expiry_skew") return set_signed(value, o.expiry_skew);
  if (name == "latency") return set_duration(value, o.latency);
  if (name == "rate_limit") return set_number<std::size_t>(value, 0, o.rate_limit);
  if (name == "rate_window") return set_positive(value, o.rate_window);
  if (name == "retry_after") return set_choice(kRetryAfterNames, value, o.retry_after);
  if (name == "issue_mode") return set_choice(kIssueModeNames, value, o.issue_mode);
  if (name == "refresh_mode") return set_choice(kRefreshModeNames, value, o.refresh_mode);
  if (name == "refresh_rotation") {
    return set_choice(kRefreshRotationNames, value, o.refresh_rotation);
  }
  if (name == "email_case") return set_choice(kEmailCaseNames, value, o.email_case);
  if (name == "clock_offset") return set_signed(value, o.clock_offset);
  if (name == "community_id") return set_number<std::int64_t>(value, 1, o.community_id);
  return fail(ErrorKind::kInvalid, "there is no such option");
}

}  // namespace

Result<void> set_option(CircleOptions& options, std::string_view name, std::string_view value) {
  auto result = set_by_name(options, name, value);
  if (!result) result.error().message = fmt::format("{}: {}", name, result.error().message);
  return result;
}

}  // namespace rota::sandbox
