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

// Resolves %XX. A "+" stays a plus, as RFC 3986 says, since addresses have pluses. kInvalid for a
// "%" without two hex digits.
Result<std::string> percent_decode(std::string_view text);

// The same for the value of a form, where a "+" stands for a space.
Result<std::string> form_decode(std::string_view text);

// Reads the `name=value` pairs of a query, one by one. A name without "=" has an empty value. Empty
// pairs are skipped. The query must live as long as the reader.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query) {}

  // Goes to the next pair. False at the end. kInvalid as percent_decode().
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
  std::string name_text_;  // empty if nothing had to be decoded
  std::string value_text_;
};

// A member as a query names it. An SSO id may have a "+" and may have a space, and form encoders
// send a space as "+": `as_form` is what such a client means. An address has no space.
struct NamedMember {
  MemberKey key;                       // with "+" as a plus
  std::optional<MemberKey> as_form{};  // with "+" as a space; only if that is another SSO id
};

// Reads a member's name, in a query or in a path. Only this function decides what a "+" means.
// `value` is the text with its %XX resolved, `raw` is the text as it was sent, and `read` is one of
// MemberKey's readers. kInvalid as that reader says.
Result<NamedMember> read_member(std::string_view value, std::string_view raw,
                                Result<MemberKey> (*read)(std::string_view));

// What GET /v1/token asks for.
struct TokenQuery {
  NamedMember member;
  std::optional<Duration> min_ttl;  // none: effective_min_ttl() decides
  Duration wait{0};
  bool strict = false;
  std::optional<Fingerprint> refused;
  bool enrol = false;  // make it a member if it is none
};

// Reads exactly one of community_member_id, email and sso_user_id, and optionally min_ttl, wait
// (at most kWaitMax), strict, refused and enrol. kInvalid names the parameter that is missing,
// unknown, repeated or malformed.
Result<TokenQuery> parse_token_query(std::string_view query);

// Whether any of the three selectors in the query names a member, whatever else is wrong with it.
bool names_a_member(std::string_view query);

// The only parameter of PUT /v1/members/{key}: `wait`, as above.
Result<Duration> parse_wait_query(std::string_view query);

// What GET /v1/watch asks for: the three selectors, in any number up to kWatchKeysMax, without
// repeats. Empty: all members. kInvalid for more of them, or any other parameter.
Result<std::vector<NamedMember>> parse_watch_query(std::string_view query);

// Reads a duration as the configuration writes it ("10s"), or whole seconds ("10").
Result<Duration> parse_seconds_or_duration(std::string_view text);

// Errors that all routes word alike.
std::unexpected<Error> unknown_parameter(std::string_view name);
std::unexpected<Error> repeated_parameter(std::string_view name);

}  // namespace rota
