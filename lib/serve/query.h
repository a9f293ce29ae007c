#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fingerprint.h"
#include "base/result.h"
#include "base/time.h"
#include "model/member_key.h"

namespace rota {

// Resolves %XX. A "+" stays a plus, as RFC 3986 has it, not a space: addresses hold pluses.
// kInvalid: a "%" without two hex digits.
Result<std::string> percent_decode(std::string_view text);

// Reads `name=value` pairs off a query, one by one. A name without "=" has an empty value.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query), done_(query.empty()) {}

  // False at the end. kInvalid as percent_decode().
  Result<bool> next();
  // Decoded; valid until the next call of next().
  std::string_view name() const { return name_; }
  std::string_view value() const { return value_; }

 private:
  std::string_view rest_;
  bool done_;
  std::string_view name_;
  std::string_view value_;
  std::string name_text_;  // only where something had to be decoded
  std::string value_text_;
};

// What GET /v1/token asks for.
struct TokenQuery {
  MemberKey key;
  std::optional<Duration> min_ttl;  // none: the default rule
  Duration wait{0};
  bool strict = false;
  std::optional<Fingerprint> refused;
};

// Exactly one of community_member_id, email and sso_user_id; optional min_ttl, wait (more than 60 s
// counts as 60 s), strict and refused. kInvalid names the parameter that is missing, unknown, given
// twice or malformed.
Result<TokenQuery> parse_token_query(std::string_view query);

// What GET /v1/watch asks for: any number of the three selectors up to kWatchKeysMax, repeats left
// out; none stands for all. kInvalid: more, anything else, or a name that is no UTF-8, as the
// events that repeat it must be.
Result<std::vector<MemberKey>> parse_watch_query(std::string_view query);

// A duration as the configuration writes it ("10s"), or whole seconds ("10").
Result<Duration> parse_seconds_or_duration(std::string_view text);

// The errors that every route words alike.
std::unexpected<Error> unknown_parameter(std::string_view name);
std::unexpected<Error> repeated_parameter(std::string_view name);

}  // namespace rota
