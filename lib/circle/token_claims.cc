#include "circle/token_claims.h"

#include <sodium.h>

#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "base/secret.h"
#include "circle/token_text.h"
#include "circle/wiping_resource.h"

namespace rota {
namespace {

namespace json = boost::json;

constexpr std::size_t kJsonDepthMax = 8;

std::optional<Secret> payload_of(std::string_view token) {
  const auto first = token.find('.');
  if (first == std::string_view::npos || token.size() > kTokenBytesMax) return std::nullopt;
  token.remove_prefix(first + 1);
  const std::string_view encoded = token.substr(0, token.find('.'));
  std::string bytes(encoded.size(), '\0');
  std::size_t size = 0;
  const int status = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                       encoded.data(), encoded.size(), nullptr, &size, nullptr,
                                       sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  bytes.resize(status == 0 ? size : 0);
  return Secret::take(std::move(bytes));
}

}  // namespace

std::optional<MemberKey> member_in_token(std::string_view token) {
  const auto payload = payload_of(token);
  if (!payload) return std::nullopt;
  WipingResource memory;  // outlives parser and value
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::parser parser(&memory, options);
  parser.reset(&memory);
  json::error_code error;
  const std::string_view text = payload->reveal();
  parser.write(text.data(), text.size(), error);
  if (error) return std::nullopt;
  const json::value value = parser.release();
  const json::object* claims = value.if_object();
  const json::value* claim =
      claims == nullptr ? nullptr : claims->if_contains("community_member_id");
  const std::int64_t* id = claim == nullptr ? nullptr : claim->if_int64();
  if (id == nullptr) return std::nullopt;
  const auto key = MemberKey::from_id(*id);
  return key ? std::optional(*key) : std::nullopt;
}

}  // namespace rota
