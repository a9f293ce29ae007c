#include "api/circle_body.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "circle/token_text.h"
#include "circle/wiping_resource.h"

namespace rota {
namespace {

namespace json = boost::json;

constexpr std::size_t kJsonDepthMax = 8;
constexpr std::string_view kSpace = " \t\r\n";

struct Selector {
  std::string_view field;
  Result<MemberKey> (*read)(std::string_view);
};
constexpr std::array<Selector, 3> kSelectors{{
    {"sso_user_id", &MemberKey::from_sso},
    {"community_member_id", &MemberKey::from_id_text},
    {"email", &MemberKey::from_email},
}};

// One field's value as text.
struct Value {
  std::string_view text;
  bool of_form = false;  // still percent-encoded
  bool is_number = false;
};

// Calls `take(name, value)` for each field, until it returns false. A value that is neither text
// nor a number is nullopt. False if the body cannot be read.
template <class Take>
bool for_each_json(std::string_view body, Take take) {
  WipingResource memory;  // outlives parser and value
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::parser parser(&memory, options);
  parser.reset(&memory);
  json::error_code error;
  parser.write(body.data(), body.size(), error);
  if (error) return false;
  const json::value value = parser.release();
  const json::object* object = value.if_object();
  if (object == nullptr) return false;
  for (const auto& [name, field] : *object) {
    if (field.is_null()) continue;
    std::optional<Value> found;
    std::array<char, 20> digits{};
    if (const json::string* text = field.if_string()) {
      if (text->empty()) continue;
      const std::string_view view(text->data(), text->size());
      found = {.text = view, .of_form = false, .is_number = false};
    } else if (const std::int64_t* number = field.if_int64()) {
      char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr;
      const std::string_view view(digits.data(), end);
      found = {.text = view, .of_form = false, .is_number = true};
    }
    if (!take(std::string_view(name.data(), name.size()), found)) break;
  }
  return true;
}

// A name that is percent-encoded is none of ours.
template <class Take>
void for_each_in_form(std::string_view body, Take take) {
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(pair.size() + 1, body.size()));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || equals + 1 == pair.size()) continue;
    const Value value{.text = pair.substr(equals + 1), .of_form = true, .is_number = false};
    if (!take(pair.substr(0, equals), std::optional(value))) return;
  }
}

template <class Take>
bool for_each_field(std::string_view body, Take take) {
  const std::string_view text = trim(body, kSpace);
  if (text.empty()) return true;
  if (text.starts_with('{')) return for_each_json(text, std::move(take));
  if (!text.contains('=')) return false;
  for_each_in_form(text, std::move(take));
  return true;
}

Result<NamedMember> member_of(const Value& value, const Selector& selector) {
  if (!value.of_form) {
    ROTA_ASSIGN(MemberKey key, selector.read(value.text));
    return NamedMember{.key = std::move(key)};
  }
  ROTA_ASSIGN(const std::string text, percent_decode(value.text));
  return read_member(text, value.text, selector.read);
}

// Leaves no copy of a token behind.
std::optional<Secret> token_of(const Value& value) {
  Secret token(value.text);
  if (value.of_form && value.text.contains('%')) {
    auto text = percent_decode(value.text);
    if (!text) return std::nullopt;
    token = Secret::take(*std::move(text));
  }
  if (!plausible_token(token.reveal())) return std::nullopt;
  return token;
}

}  // namespace

SelectorRead read_selector(std::string_view body) {
  SelectorRead found = Missing{};
  const bool read = for_each_field(body, [&](std::string_view name, std::optional<Value> value) {
    const auto* const selector =
        std::ranges::find(kSelectors, name, [](const Selector& s) { return s.field; });
    if (selector == kSelectors.end()) return true;
    if (!value || !std::holds_alternative<Missing>(found)) {
      found = Malformed{};
      return false;
    }
    auto member = member_of(*value, *selector);
    if (member) {
      found = *std::move(member);
    } else {
      found = NoSuchName{};
    }
    return true;
  });
  if (!read) return Malformed{};
  return found;
}

TokenRead read_token(std::string_view body, std::string_view field) {
  TokenRead found = Missing{};
  const bool read = for_each_field(body, [&](std::string_view name, std::optional<Value> value) {
    if (name != field) return true;
    if (!value || value->is_number) {
      found = WrongType{};
    } else if (auto token = token_of(*value)) {
      found = *std::move(token);
    } else {
      found = NoSuchToken{};
    }
    return false;
  });
  if (!read) return Missing{};
  return found;
}

}  // namespace rota
