#include "sandbox/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <limits>
#include <optional>

namespace rota::sandbox {
namespace {

namespace json = boost::json;

struct Route {
  Endpoint endpoint;
  std::string_view method;
  std::string_view path;
};
constexpr std::array<Route, 4> kRoutes{{
    {Endpoint::kIssue, "POST", "/api/v1/headless/auth_token"},
    {Endpoint::kRefresh, "PATCH", "/api/v1/headless/access_token/refresh"},
    {Endpoint::kRevokeRefresh, "POST", "/api/v1/headless/refresh_token/revoke"},
    {Endpoint::kRevokeAccess, "POST", "/api/v1/headless/access_token/revoke"},
}};

std::unexpected<Refusal> refuse(std::string_view reason, Reply reply) {
  return std::unexpected(Refusal{reason, std::move(reply)});
}

std::unexpected<Refusal> bad_request(std::string_view reason) {
  return refuse(reason, error_reply(400, message::kBadRequest, reason));
}

// "application/json", with parameters or without, in any case.
bool is_json_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  constexpr std::string_view kWanted = "application/json";
  return std::ranges::equal(type, kWanted, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

std::optional<MemberId> positive_integer(const json::value& value) {
  if (value.is_int64() && value.get_int64() >= 1) return value.get_int64();
  return std::nullopt;
}

std::expected<Subject, Refusal> read_selector(const json::object& fields) {
  std::optional<Subject> subject;
  for (const auto& [key, value] : fields) {
    if (key != "sso_user_id" && key != "community_member_id" && key != "email") {
      return bad_request("unknown field");
    }
    if (subject) return bad_request("more than one selector");
    if (key == "community_member_id") {
      const auto id = positive_integer(value);
      if (!id) return bad_request("community_member_id is not an integer of at least 1");
      subject = ById{*id};
      continue;
    }
    if (!value.is_string() || value.get_string().empty()) {
      return bad_request(key == "email" ? "email is not a string with something in it"
                                        : "sso_user_id is not a string with something in it");
    }
    std::string text(std::string_view(value.get_string()));
    if (key == "email") {
      subject = ByEmail{std::move(text)};
    } else {
      subject = BySso{std::move(text)};
    }
  }
  if (!subject) return refuse("no selector", error_reply(404, message::kMemberNotFound));
  return *std::move(subject);
}

Reply missing_parameter(std::string_view field) {
  return error_reply(404, message::kMissingParameter, fmt::format("Missing parameter: {}", field));
}

std::expected<Subject, Refusal> read_token(const json::object& fields, Endpoint endpoint) {
  const std::string_view field =
      endpoint == Endpoint::kRevokeAccess ? "access_token" : "refresh_token";
  for (const auto& [key, value] : fields) {
    if (key != field) return bad_request("unknown field");
  }
  const json::value* value = fields.if_contains(field);
  // Rails' params.require() counts an empty value as a missing one.
  if (value == nullptr || value->is_null() || (value->is_string() && value->get_string().empty())) {
    return refuse("missing parameter", missing_parameter(field));
  }
  if (!value->is_string()) {
    return refuse("the token is not a string", endpoint == Endpoint::kRevokeRefresh
                                                   ? error_reply(404, message::kRefreshTokenInvalid)
                                                   : missing_parameter(field));
  }
  return ByToken{std::string(std::string_view(value->get_string()))};
}

}  // namespace

std::expected<Endpoint, Refusal> route(std::string_view method, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  std::string_view reason = "unknown path";
  for (const Route& row : kRoutes) {
    if (row.path != path) continue;
    if (row.method != method) {
      reason = "wrong method";
    } else if (path.size() != target.size()) {
      reason = "query string";
    } else {
      return row.endpoint;
    }
  }
  return refuse(reason, error_reply(404, message::kNoRoute));
}

std::expected<void, Refusal> check_bearer(std::string_view authorization,
                                          std::string_view app_token,
                                          std::string_view admin_token) {
  constexpr std::string_view kScheme = "Bearer ";
  const bool has_scheme = authorization.starts_with(kScheme);
  const std::string_view token = authorization.substr(has_scheme ? kScheme.size() : 0);
  if (has_scheme && token == app_token) return {};
  return refuse(authorization.empty()                ? "no bearer"
                : has_scheme && token == admin_token ? "an Admin API token as bearer"
                                                     : "wrong bearer",
                error_reply(401, message::kUnauthorized));
}

std::expected<Subject, Refusal> read_body(Endpoint endpoint, const Request& request) {
  if (!is_json_type(request.content_type)) return bad_request("content type is not JSON");
  json::error_code ec;
  const json::value body = json::parse(json::string_view(request.body), ec);
  if (ec || !body.is_object()) return bad_request("body is not a JSON object");
  switch (endpoint) {
    case Endpoint::kIssue:
      return read_selector(body.get_object());
    case Endpoint::kRefresh:
    case Endpoint::kRevokeRefresh:
    case Endpoint::kRevokeAccess:
      return read_token(body.get_object(), endpoint);
    case Endpoint::kOther:
      break;
  }
  return bad_request("unknown path");
}

}  // namespace rota::sandbox
