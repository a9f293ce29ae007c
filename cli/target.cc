#include "cli/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace rota::cli {
namespace {

constexpr std::string_view kUnreservedMarks = "-._~";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_unreserved(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kUnreservedMarks.contains(c);
}

std::string_view parameter_of(SelectorKind kind) {
  switch (kind) {
    case SelectorKind::kCommunityMemberId:
      return "community_member_id";
    case SelectorKind::kEmail:
      return "email";
    case SelectorKind::kSsoUserId:
      return "sso_user_id";
  }
  ROTA_CHECK(false);
}

// Appends "&name=value", or "?name=value" for the first; nothing for an empty value.
void add_parameter(std::string& target, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  target += fmt::format("{}{}={}", target.contains('?') ? '&' : '?', name, percent_encode(value));
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string token_target(const MemberKey& key, const TokenQuery& query) {
  std::string target = "/v1/token";
  add_parameter(target, parameter_of(key.kind), key.value);
  add_parameter(target, "min_ttl", query.min_ttl);
  add_parameter(target, "wait", query.wait);
  add_parameter(target, "strict", query.strict ? "true" : "");
  add_parameter(target, "refused", query.refused);
  return target;
}

std::string watch_target(const std::vector<MemberKey>& keys) {
  std::string target = "/v1/watch";
  for (const MemberKey& key : keys) add_parameter(target, parameter_of(key.kind), key.value);
  return target;
}

std::string audit_target(const AuditQuery& query, std::int64_t after, std::size_t limit) {
  std::string target = "/v1/audit";
  add_parameter(target, "since", query.since);
  add_parameter(target, "member", query.member);
  add_parameter(target, "token", query.token);
  add_parameter(target, "notable", query.notable ? "true" : "");
  add_parameter(target, "after", fmt::to_string(after));
  add_parameter(target, "limit", fmt::to_string(limit));
  return target;
}

std::string members_target(std::string_view state, std::string_view source, std::string_view after,
                           std::size_t limit) {
  std::string target = "/v1/members";
  add_parameter(target, "state", state);
  add_parameter(target, "source", source);
  add_parameter(target, "after", after);
  add_parameter(target, "limit", fmt::to_string(limit));
  return target;
}

std::string member_target(const MemberKey& key, std::string_view action) {
  return fmt::format("/v1/members/{}{}{}", percent_encode(key.text()), action.empty() ? "" : "/",
                     action);
}

std::string lift_target(std::string_view client) {
  std::string target = "/v1/removals/lift";
  add_parameter(target, "client", client);
  return target;
}

std::string reload_target(std::string_view approve) {
  std::string target = "/v1/roster/reload";
  add_parameter(target, "approve", approve);
  return target;
}

Result<Duration> parse_loose_duration(std::string_view text) {
  const bool bare = !text.empty() && std::ranges::all_of(text, is_digit);
  return parse_duration(bare ? fmt::format("{}s", text) : std::string(text));
}

}  // namespace rota::cli
