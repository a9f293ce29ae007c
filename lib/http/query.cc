#include "http/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/text.h"
#include "engine/requests.h"
#include "http/limits.h"

namespace rota {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Most texts need no decoding and are used in place.
Result<std::string_view> decode_into(std::string_view text, std::string& storage) {
  if (!text.contains('%')) return text;
  ROTA_ASSIGN(storage, percent_decode(text));
  return std::string_view(storage);
}

// Puts the parameter's name before the error.
template <class T>
Result<T> naming(std::string_view name, Result<T> result) {
  if (result) return result;
  return fail(ErrorKind::kInvalid, fmt::format("{}: {}", name, result.error().message));
}

Result<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return fail(ErrorKind::kInvalid, "must be true or false");
}

Result<Fingerprint> parse_refused(std::string_view text) {
  const auto value = parse_fingerprint(text);
  if (!value) return fail(ErrorKind::kInvalid, "must be 16 hex digits");
  return *value;
}

// Sets `target`; an error if it is set already.
template <class T>
Result<void> set_once(std::string_view name, std::optional<T>& target, Result<T> value) {
  if (target) return repeated_parameter(name);
  ROTA_ASSIGN(target, naming(name, std::move(value)));
  return {};
}

struct Fields {
  std::optional<NamedMember> member;
  std::optional<Duration> min_ttl;
  std::optional<Duration> wait;
  std::optional<bool> strict;
  std::optional<Fingerprint> refused;
  std::optional<bool> enrol;
};

// Nullopt if the parameter is not one of the three selectors.
std::optional<Result<NamedMember>> read_selector(const QueryReader& reader) {
  const std::string_view name = reader.name();
  const auto with = [&reader](Result<MemberKey> (*read)(std::string_view)) {
    return read_member(reader.value(), reader.raw_value(), read);
  };
  if (name == "community_member_id") return with(&MemberKey::from_id_text);
  if (name == "email") return with(&MemberKey::from_email);
  if (name == "sso_user_id") return with(&MemberKey::from_sso);
  return std::nullopt;
}

Result<void> set_member(std::string_view name, Fields& fields, Result<NamedMember> member) {
  if (fields.member) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: the member is already named", name));
  }
  ROTA_ASSIGN(fields.member, naming(name, std::move(member)));
  return {};
}

Result<void> set_field(const QueryReader& reader, Fields& fields) {
  const std::string_view name = reader.name();
  const std::string_view value = reader.value();
  if (auto member = read_selector(reader)) return set_member(name, fields, *std::move(member));
  if (name == "min_ttl") return set_once(name, fields.min_ttl, parse_seconds_or_duration(value));
  if (name == "wait") return set_once(name, fields.wait, parse_seconds_or_duration(value));
  if (name == "strict") return set_once(name, fields.strict, parse_bool(value));
  if (name == "refused") return set_once(name, fields.refused, parse_refused(value));
  if (name == "enrol") return set_once(name, fields.enrol, parse_bool(value));
  return unknown_parameter(name);
}

Duration wait_of(const Fields& fields) {
  return std::min(fields.wait.value_or(kWaitDefault), kWaitMax);
}

}  // namespace

Result<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(ErrorKind::kInvalid, "\"%\" without two hex digits");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

Result<std::string> form_decode(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percent_decode(spaced);
}

Result<NamedMember> read_member(std::string_view value, std::string_view raw,
                                Result<MemberKey> (*read)(std::string_view)) {
  ROTA_ASSIGN(MemberKey key, read(value));
  NamedMember member{.key = std::move(key)};
  if (member.key.kind == SelectorKind::kSsoUserId && raw.contains('+')) {
    ROTA_ASSIGN(const std::string text, form_decode(raw));
    ROTA_ASSIGN(member.as_form, read(text));
  }
  return member;
}

Result<bool> QueryReader::next() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of('&'), rest_.size()));
  if (rest_.empty()) return false;
  const std::string_view pair = rest_.substr(0, rest_.find('&'));
  rest_.remove_prefix(pair.size());
  const auto equals = pair.find('=');
  ROTA_ASSIGN(name_, decode_into(pair.substr(0, equals), name_text_));
  raw_value_ = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
  ROTA_ASSIGN(value_, decode_into(raw_value_, value_text_));
  return true;
}

Result<Duration> parse_seconds_or_duration(std::string_view text) {
  std::uint32_t seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, seconds);
  if (status == std::errc{} && stop == end) return std::chrono::seconds{seconds};
  return parse_duration(text);
}

Result<TokenQuery> parse_token_query(std::string_view query) {
  Fields fields;
  for (QueryReader reader(query);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) break;
    ROTA_TRY(set_field(reader, fields));
  }
  if (!fields.member) {
    return fail(ErrorKind::kInvalid,
                "one of community_member_id, email and sso_user_id must name the member");
  }
  TokenQuery result;
  result.member = *std::move(fields.member);
  if (fields.min_ttl) result.min_ttl = std::min(*fields.min_ttl, kMinTtlMax);
  result.wait = wait_of(fields);
  result.strict = fields.strict.value_or(false);
  result.refused = fields.refused;
  result.enrol = fields.enrol.value_or(false);
  return result;
}

bool names_a_member(std::string_view query) {
  for (QueryReader reader(query);;) {
    const auto more = reader.next();
    if (!more || !*more) return false;
    const auto member = read_selector(reader);
    if (member && *member) return true;
  }
}

Result<Duration> parse_wait_query(std::string_view query) {
  Fields fields;
  for (QueryReader reader(query);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return wait_of(fields);
    if (reader.name() != "wait") return unknown_parameter(reader.name());
    ROTA_TRY(set_field(reader, fields));
  }
}

Result<std::vector<NamedMember>> parse_watch_query(std::string_view query) {
  std::vector<NamedMember> members;
  for (QueryReader reader(query);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return members;
    auto selector = read_selector(reader);
    if (!selector) return unknown_parameter(reader.name());
    ROTA_ASSIGN(NamedMember member, naming(reader.name(), *std::move(selector)));
    if (std::ranges::find(members, member.key, &NamedMember::key) != members.end()) continue;
    if (members.size() == kWatchKeysMax) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format("more than {} members are named; to watch all that are granted, name none",
                      kWatchKeysMax));
    }
    members.push_back(std::move(member));
  }
}

std::unexpected<Error> unknown_parameter(std::string_view name) {
  // Circle's older name for it, which programs that were written for its API still send.
  const std::string_view hint = name == "sso_id" ? ": use sso_user_id for an SSO id" : "";
  return fail(ErrorKind::kInvalid,
              fmt::format("unknown parameter {}{}", in_quotes_unless_secret(name), hint));
}

std::unexpected<Error> repeated_parameter(std::string_view name) {
  return fail(ErrorKind::kInvalid, fmt::format("{} is given twice", name));
}

}  // namespace rota
