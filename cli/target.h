#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/member_key.h"

namespace rota::cli {

// Percent-encodes everything but letters, digits and "-._~" (RFC 3986).
std::string percent_encode(std::string_view text);

// The parameters of GET /v1/token. Durations stay as the operator wrote them: the daemon reads both
// "90s" and "90".
struct TokenQuery {
  std::string min_ttl;  // empty: the daemon's own rule
  std::string wait;     // empty: the daemon's default
  bool strict = false;
  std::string refused;  // empty, or a fingerprint in hex
};
std::string token_target(const MemberKey& key, const TokenQuery& query);
// No keys: all members that are granted.
std::string watch_target(const std::vector<MemberKey>& keys);

// The filters of GET /v1/audit; an empty one does not filter.
struct AuditQuery {
  std::string since{};  // a duration, or a time in UTC
  std::string member{};
  std::string token{};   // the first 16 hex digits of its SHA-256
  bool notable = false;  // only what an operator wants to read of
};
// Entries that one page asks for.
inline constexpr std::size_t kAuditPage = 1'000;
std::string audit_target(const AuditQuery& query, std::int64_t after, std::size_t limit);

// Members that one page asks for.
inline constexpr std::size_t kMembersPage = 500;
std::string members_target(std::string_view state, std::string_view source, std::string_view after,
                           std::size_t limit);
// `action`: "rotate", "revoke", "reinstate" or "sign-out"; empty: the member itself.
std::string member_target(const MemberKey& key, std::string_view action);
// `client`: as the alarm names it.
std::string lift_target(std::string_view client);
// `approve`: the id of a held plan; empty: a reload without an approval.
std::string reload_target(std::string_view approve);

// "90s" as in the configuration, or bare seconds, "90".
Result<Duration> parse_loose_duration(std::string_view text);

}  // namespace rota::cli
