#include "circle/reply_fields.h"

#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>

#include "base/text.h"
#include "circle/token_text.h"
#include "circle/wiping_resource.h"
#include "model/member_key.h"

namespace rota {
namespace {

namespace json = boost::json;

constexpr std::size_t kJsonDepthMax = 8;  // Circle's replies nest two deep

std::optional<std::string_view> text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr) return std::nullopt;
  return std::string_view(text->data(), text->size());
}

SecretPtr token_of(const json::object& object, std::string_view name) {
  const auto text = text_of(object, name);
  return text && plausible_token(*text) ? make_secret(*text) : nullptr;
}

std::optional<WallTime> time_of(const json::object& object, std::string_view name) {
  const auto text = text_of(object, name);
  return text ? parse_iso8601(*text) : std::nullopt;
}

std::optional<std::int64_t> id_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  const std::int64_t* id = value == nullptr ? nullptr : value->if_int64();
  if (id == nullptr || *id < 1 || *id > kCommunityMemberIdMax) return std::nullopt;
  return *id;
}

ReplyFields fields_of(const json::object& object) {
  ReplyFields fields;
  fields.access_token = token_of(object, "access_token");
  fields.refresh_token = token_of(object, "refresh_token");
  fields.access_token_expires_at = time_of(object, "access_token_expires_at");
  fields.refresh_token_expires_at = time_of(object, "refresh_token_expires_at");
  fields.community_member_id = id_of(object, "community_member_id");
  fields.community_id = id_of(object, "community_id");
  if (const json::value* value = object.if_contains("success"); value && value->is_bool()) {
    fields.success = value->get_bool();
  }
  if (const auto text = text_of(object, "message")) fields.message = std::string(trim(*text));
  return fields;
}

}  // namespace

std::optional<ReplyFields> read_reply_fields(std::string_view body) {
  WipingResource memory;  // outlives parser and value, which hold a bare pointer to it
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::parser parser(&memory, options);
  parser.reset(&memory);
  json::error_code error;
  parser.write(body.data(), body.size(), error);
  if (error) return std::nullopt;
  const json::value value = parser.release();
  const json::object* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  return fields_of(*object);
}

}  // namespace rota
