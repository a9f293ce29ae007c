#include "serve/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdint>

#include "base/text.h"
#include "serve/limits.h"

namespace rota {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Most texts have nothing to decode and are used where they stand.
Result<std::string_view> decode_into(std::string_view text, std::string& storage) {
  if (!text.contains('%')) return text;
  ROTA_ASSIGN(storage, percent_decode(text));
  return std::string_view(storage);
}

// Names the parameter in front of what is wrong with its value.
template <class T>
Result<T> naming(std::string_view name, Result<T> result) {
  if (result) return result;
  return fail(ErrorKind::kInvalid, fmt::format("{}: {}", name, result.error().message));
}

Result<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return fail(ErrorKind::kInvalid, "is neither true nor false");
}

Result<Fingerprint> parse_refused(std::string_view text) {
  const auto value = parse_fingerprint(text);
  if (!value) return fail(ErrorKind::kInvalid, "is not 16 hex digits");
  return *value;
}

// Sets `target` once.
template <class T>
Result<void> set_once(std::string_view name, std::optional<T>& target, Result<T> value) {
  if (target) return repeated_parameter(name);
  ROTA_ASSIGN(target, naming(name, std::move(value)));
  return {};
}

struct Fields {
  std::optional<MemberKey> key;
  std::optional<Duration> min_ttl;
  std::optional<Duration> wait;
  std::optional<bool> strict;
  std::optional<Fingerprint> refused;
};

// None: the parameter is not one of the three selectors.
std::optional<Result<MemberKey>> read_selector(std::string_view name, std::string_view value) {
  if (name == "community_member_id") return MemberKey::from_id_text(value);
  if (name == "email") return MemberKey::from_email(value);
  if (name == "sso_user_id") return MemberKey::from_sso(value);
  return std::nullopt;
}

bool is_utf8(const std::string& text) {
  boost::system::error_code error;
  boost::json::parse(boost::json::serialize(boost::json::string_view(text)), error);
  return !error;
}

Result<void> set_key(std::string_view name, Fields& fields, Result<MemberKey> key) {
  if (fields.key) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: the member is named already", name));
  }
  ROTA_ASSIGN(fields.key, naming(name, std::move(key)));
  return {};
}

Result<void> set_field(std::string_view name, std::string_view value, Fields& fields) {
  if (auto key = read_selector(name, value)) return set_key(name, fields, *std::move(key));
  if (name == "min_ttl") return set_once(name, fields.min_ttl, parse_seconds_or_duration(value));
  if (name == "wait") return set_once(name, fields.wait, parse_seconds_or_duration(value));
  if (name == "strict") return set_once(name, fields.strict, parse_bool(value));
  if (name == "refused") return set_once(name, fields.refused, parse_refused(value));
  return unknown_parameter(name);
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

Result<bool> QueryReader::next() {
  if (done_) return false;
  const auto end = rest_.find('&');
  const std::string_view pair = rest_.substr(0, end);
  done_ = end == std::string_view::npos;
  rest_.remove_prefix(done_ ? rest_.size() : end + 1);
  const auto equals = pair.find('=');
  ROTA_ASSIGN(name_, decode_into(pair.substr(0, equals), name_text_));
  const auto value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
  ROTA_ASSIGN(value_, decode_into(value, value_text_));
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
    ROTA_TRY(set_field(reader.name(), reader.value(), fields));
  }
  if (!fields.key) {
    return fail(ErrorKind::kInvalid,
                "one of community_member_id, email and sso_user_id must name the member");
  }
  TokenQuery result;
  result.key = *std::move(fields.key);
  if (fields.min_ttl) result.min_ttl = std::min(*fields.min_ttl, kMinTtlMax);
  result.wait = std::min(fields.wait.value_or(kWaitDefault), kWaitMax);
  result.strict = fields.strict.value_or(false);
  result.refused = fields.refused;
  return result;
}

Result<std::vector<MemberKey>> parse_watch_query(std::string_view query) {
  std::vector<MemberKey> keys;
  for (QueryReader reader(query);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return keys;
    auto selector = read_selector(reader.name(), reader.value());
    if (!selector) return unknown_parameter(reader.name());
    ROTA_ASSIGN(MemberKey key, naming(reader.name(), *std::move(selector)));
    if (!is_utf8(key.value)) {
      return fail(ErrorKind::kInvalid, fmt::format("{}: is not UTF-8", reader.name()));
    }
    if (std::ranges::find(keys, key) != keys.end()) continue;
    if (keys.size() == kWatchKeysMax) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("more than {} members are named; none stands for all that is granted",
                              kWatchKeysMax));
    }
    keys.push_back(std::move(key));
  }
}

std::unexpected<Error> unknown_parameter(std::string_view name) {
  return fail(ErrorKind::kInvalid, "unknown parameter " + in_quotes(name));
}

std::unexpected<Error> repeated_parameter(std::string_view name) {
  return fail(ErrorKind::kInvalid, fmt::format("{} is given twice", name));
}

}  // namespace rota
