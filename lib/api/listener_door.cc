#include "api/listener_door.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/text.h"

namespace rota {
namespace {

constexpr std::string_view kHealth = "/healthz";
constexpr std::string_view kScheme = "bearer";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

// 127.A.B.C in decimal.
bool is_loopback_v4(std::string_view text) {
  constexpr std::size_t kParts = 4;
  constexpr std::size_t kDigitsMax = 3;
  constexpr unsigned kLoopbackNet = 127;
  constexpr unsigned kPartMax = 255;
  for (std::size_t part = 0; part < kParts; ++part) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view digits = text.substr(0, end);
    if (digits.empty() || digits.size() > kDigitsMax || !std::ranges::all_of(digits, is_digit)) {
      return false;
    }
    unsigned value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (value > kPartMax || (part == 0 && value != kLoopbackNet)) return false;
    const bool last = part + 1 == kParts;
    if (last != (end == text.size())) return false;
    if (!last) text.remove_prefix(end + 1);
  }
  return true;
}

// The token of "Bearer TOKEN"; empty if there is none.
std::string_view bearer_of(std::string_view authorization) {
  const auto space = authorization.find(' ');
  if (space == std::string_view::npos) return {};
  if (!same_word(authorization.substr(0, space), kScheme)) return {};
  return trim(authorization.substr(space), " ");
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  if (host.empty()) return true;
  std::size_t end = std::min(host.find(':'), host.size());
  if (host.starts_with('[')) {
    const auto bracket = host.find(']');
    if (bracket == std::string_view::npos) return false;
    end = bracket + 1;
  }
  const std::string_view port = host.substr(end);
  if (!port.empty() && (port.front() != ':' || !std::ranges::all_of(port.substr(1), is_digit))) {
    return false;
  }
  const std::string_view name = host.substr(0, end);
  return same_word(name, "localhost") || name == "[::1]" || is_loopback_v4(name);
}

AtTheDoor look_at(const RequestHead& head, ListenerHosts hosts) {
  if (head.has_origin) {
    return error_reply(ErrorCode::kForbidden, "requests of browsers are refused here");
  }
  switch (hosts) {
    case ListenerHosts::kLoopback:
      if (!is_loopback_host(head.host)) {
        return error_reply(ErrorCode::kForbidden, "the host must be localhost, 127.0.0.1 or [::1]");
      }
      break;
    case ListenerHosts::kAny:
      break;
  }
  if (head.path == kHealth) return OpenToAll{};
  const std::string_view token = bearer_of(head.authorization);
  if (token.empty()) return unauthorized();
  return ShownToken{digest_of(token)};
}

ErrorReply unauthorized() { return error_reply(ErrorCode::kUnauthorized); }

}  // namespace rota
