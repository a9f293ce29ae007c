#include "circle/encode.h"

#include <fmt/format.h>

#include "base/check.h"

namespace rota {
namespace {

struct Endpoint {
  std::string_view method;
  std::string_view path;
};

Endpoint endpoint_of(CallKind kind) {
  switch (kind) {
    case CallKind::kIssue:
      return {"POST", "/api/v1/headless/auth_token"};
    case CallKind::kRefresh:
      return {"PATCH", "/api/v1/headless/access_token/refresh"};
    case CallKind::kRevokeRefresh:
      return {"POST", "/api/v1/headless/refresh_token/revoke"};
    case CallKind::kRevokeAccess:
      return {"POST", "/api/v1/headless/access_token/revoke"};
  }
  ROTA_CHECK(false);
}

std::string_view token_field_of(CallKind kind) {
  return kind == CallKind::kRevokeAccess ? "access_token" : "refresh_token";
}

// {"name":"value"} in one allocation, which is wiped. A byte becomes six at most.
Secret object_of(std::string_view name, std::string_view value) {
  std::string json;
  json.reserve(name.size() + 6 * value.size() + 8);
  json.append("{\"").append(name).append("\":\"");
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      json.append({'\\', c});
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json.append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    } else {
      json.push_back(c);
    }
  }
  json.append("\"}");
  return Secret::take(std::move(json));
}

Secret body_of_issue(const MemberKey& member) {
  switch (member.kind) {
    case SelectorKind::kCommunityMemberId:
      return Secret(fmt::format("{{\"community_member_id\":{}}}", member.id()));
    case SelectorKind::kEmail:
      return object_of("email", member.value);
    case SelectorKind::kSsoUserId:
      return object_of("sso_user_id", member.value);
  }
  ROTA_CHECK(false);
}

}  // namespace

HttpRequest encode(const AuthRequest& request) {
  const auto [method, path] = endpoint_of(request.kind);
  if (request.kind == CallKind::kIssue) return {method, path, body_of_issue(request.member)};
  ROTA_CHECK(request.token != nullptr);
  return {method, path, object_of(token_field_of(request.kind), request.token->reveal())};
}

}  // namespace rota
