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

// RFC 3986: everything but letters, digits and "-._~" becomes %XX.
std::string percent_encode(std::string_view text);

// What to ask of GET /v1/token; durations as the operator wrote them, since the daemon reads both
// "90s" and "90".
struct TokenQuery {
  std::string min_ttl;  // empty: the daemon's own rule
  std::string wait;     // empty: the daemon's own
  bool strict = false;
  std::string refused;  // empty, or a fingerprint in hex
};
std::string token_target(const MemberKey& key, const TokenQuery& query);
// No keys: all that is granted.
std::string watch_target(const std::vector<MemberKey>& keys);

// What to ask of GET /v1/audit; each empty: all.
struct AuditQuery {
  std::string since;  // a duration, or a time in UTC
  std::string member;
  std::string token;  // the first 16 hex digits of its SHA-256
};
std::string audit_target(const AuditQuery& query, std::int64_t after, std::size_t limit);

std::string members_target(std::string_view state, std::string_view after, std::size_t limit);
// `action` empty: the member itself; otherwise "rotate", "revoke" or "reinstate".
std::string member_target(const MemberKey& key, std::string_view action);
// `approve` empty: a reload that lets nothing through.
std::string reload_target(std::string_view approve);

// "90s" as in the configuration, or bare seconds, "90".
Result<Duration> parse_loose_duration(std::string_view text);

}  // namespace rota::cli
