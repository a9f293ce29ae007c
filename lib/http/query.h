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

// The same for the value of a form, where a "+" stands for a space.
Result<std::string> form_decode(std::string_view text);

// Reads `name=value` pairs off a query, one by one. A name without "=" has an empty value; nothing
// between two "&" is no pair.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query) {}

  // False at the end. kInvalid as percent_decode().
  Result<bool> next();
  // Decoded; valid until the next call of next().
  std::string_view name() const { return name_; }
  std::string_view value() const { return value_; }
  std::string_view raw_value() const { return raw_value_; }  // as it was sent

 private:
  std::string_view rest_;
  std::string_view raw_value_;
  std::string_view name_;
  std::string_view value_;
  std::string name_text_;  // only where something had to be decoded
  std::string value_text_;
};

// A member as a query names it. An SSO id can hold a "+" and can hold a space, and standard form
// encoders send a space as "+": `as_form` is what such a client meant. An address holds no space.
struct NamedMember {
  MemberKey key;                       // "+" as it stands
  std::optional<MemberKey> as_form{};  // "+" as a space; only where that is another SSO id
};

// Reads the name of a member wherever a target has one, in a query or in a path: no other function
// decides what a "+" means. `value` is the text with its %XX resolved, `raw` as it was sent; `read`
// is one of MemberKey's readers. kInvalid as that reader says.
Result<NamedMember> read_member(std::string_view value, std::string_view raw,
                                Result<MemberKey> (*read)(std::string_view));

// What GET /v1/token asks for.
struct TokenQuery {
  NamedMember member;
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
// out; none stands for all. kInvalid: more, or anything else.
Result<std::vector<NamedMember>> parse_watch_query(std::string_view query);

// A duration as the configuration writes it ("10s"), or whole seconds ("10").
Result<Duration> parse_seconds_or_duration(std::string_view text);

// The errors that every route words alike.
std::unexpected<Error> unknown_parameter(std::string_view name);
std::unexpected<Error> repeated_parameter(std::string_view name);

}  // namespace rota
