#include "api/routes.h"

#include <fmt/format.h>

#include <span>
#include <string>
#include <utility>

#include "api/admin_api.h"
#include "api/circle_routes.h"
#include "api/health_api.h"
#include "api/member_routes.h"
#include "api/token_api.h"
#include "api/token_routes.h"
#include "http/query.h"

namespace rota {
namespace {

// Circle's own.
constexpr const char* kAuthToken = "/api/v1/headless/auth_token";
constexpr const char* kRefresh = "/api/v1/headless/access_token/refresh";
constexpr const char* kRevokeAccess = "/api/v1/headless/access_token/revoke";
constexpr const char* kRevokeRefresh = "/api/v1/headless/refresh_token/revoke";

constexpr const char* kAuthorization = "/v1/authorization";

// The lists. A path stands once for each of its methods, and what is asked most often stands first.

constexpr TokenSocketRoute kTokenSocket[] = {
    {"GET", "/v1/token", Parameters::kItsOwn, NeedsTokens{answer_token}},
    {"POST", kAuthToken, Parameters::kNone, NeedsTokens{answer_auth_token}},
    {"PATCH", kRefresh, Parameters::kNone, NeedsTokens{answer_refresh}},
    {"POST", kRevokeAccess, Parameters::kNone, NeedsTokens{start_access_revocation}},
    {"POST", kRevokeRefresh, Parameters::kNone, NeedsTokens{start_handle_revocation}},
    {"GET", kAuthorization, Parameters::kItsOwn, NeedsTokens{answer_authorization}},
    {"GET", "/v1/watch", Parameters::kItsOwn, NeedsTokens{answer_watch}},
    {"GET", "/healthz", Parameters::kIgnored, NeedsHealth{answer_alive}},
    {"GET", "/readyz", Parameters::kIgnored, NeedsHealth{answer_ready}},
    {"PUT", "/v1/members/{key}", Parameters::kItsOwn, NeedsTokens{answer_enrolment}},
    {"DELETE", "/v1/members/{key}", Parameters::kNone, NeedsTokens{start_own_removal}},
    {"POST", "/v1/members/{key}/sign-out", Parameters::kNone, NeedsTokens{start_sign_out}},
    // No metrics: clients need not know how much Rota has to do.
};

constexpr AdminSocketRoute kAdminSocket[] = {
    {"GET", "/v1/token", Parameters::kItsOwn, NeedsTokens{answer_token}},
    {"POST", kAuthToken, Parameters::kNone, NeedsTokens{answer_auth_token}},
    {"PATCH", kRefresh, Parameters::kNone, NeedsTokens{answer_refresh}},
    {"POST", kRevokeAccess, Parameters::kNone, NeedsTokens{start_access_revocation}},
    {"POST", kRevokeRefresh, Parameters::kNone, NeedsTokens{start_handle_revocation}},
    {"GET", kAuthorization, Parameters::kItsOwn, NeedsTokens{answer_authorization}},
    {"GET", "/v1/watch", Parameters::kItsOwn, NeedsTokens{answer_watch}},
    {"GET", "/healthz", Parameters::kIgnored, NeedsHealth{answer_alive}},
    {"GET", "/readyz", Parameters::kIgnored, NeedsHealth{answer_ready}},
    {"GET", "/metrics", Parameters::kIgnored, NeedsHealth{answer_metrics}},
    {"GET", "/v1/status", Parameters::kNone, NeedsAdmin{answer_status}},
    {"GET", "/v1/members", Parameters::kItsOwn, NeedsAdmin{answer_members}},
    {"GET", "/v1/members/{key}", Parameters::kNone, NeedsAdmin{answer_member}},
    {"PUT", "/v1/members/{key}", Parameters::kItsOwn, NeedsTokens{answer_enrolment}},
    {"DELETE", "/v1/members/{key}", Parameters::kNone, NeedsAdmin{start_removal}},
    {"POST", "/v1/members/{key}/sign-out", Parameters::kNone, NeedsAdmin{start_signing_out}},
    {"POST", "/v1/members/{key}/rotate", Parameters::kNone, NeedsAdmin{start_rotation}},
    {"POST", "/v1/members/{key}/revoke", Parameters::kNone, NeedsAdmin{start_revocation}},
    {"POST", "/v1/members/{key}/reinstate", Parameters::kNone, NeedsAdmin{start_reinstatement}},
    {"POST", "/v1/revoke-all", Parameters::kNone, NeedsAdmin{start_revoke_all}},
    {"POST", "/v1/removals/lift", Parameters::kItsOwn, NeedsAdmin{start_lift_removals}},
    {"GET", "/v1/roster/plan", Parameters::kNone, NeedsAdmin{start_plan}},
    {"POST", "/v1/roster/reload", Parameters::kItsOwn, NeedsAdmin{start_reload}},
    {"POST", "/v1/backup", Parameters::kNone, NeedsAdmin{start_backup}},
    {"GET", "/v1/audit", Parameters::kItsOwn, NeedsAdmin{start_audit}},
};

// It knows no peer, so nothing here names a member.
constexpr MetricsPortRoute kMetricsPort[] = {
    {"GET", "/metrics", Parameters::kIgnored, NeedsHealth{answer_metrics}},
    {"GET", "/healthz", Parameters::kIgnored, NeedsHealth{answer_alive}},
    {"GET", "/readyz", Parameters::kIgnored, NeedsHealth{answer_ready}},
};

Result<void> expect_no_parameters(std::string_view query) {
  QueryReader reader(query);
  ROTA_ASSIGN(const bool any, reader.next());
  if (any) return unknown_parameter(reader.name());
  return {};
}

template <class Route, class Services>
Answer answer_from(std::span<const Route> routes, const RequestHead& head, std::string_view body,
                   const PeerIdentity& peer, const Services& services) {
  Asking asking{.head = head, .peer = peer, .key = {}, .body = body};
  std::string allow;  // the methods of this path
  for (const Route& route : routes) {
    if (!route.path.matches(head.path, asking.key)) continue;
    if (head.method != route.method) {
      allow += fmt::format("{}{}", allow.empty() ? "" : ", ", route.method);
      if (route.method == "GET") allow += ", HEAD";
      continue;
    }
    switch (route.parameters) {
      case Parameters::kNone:
        if (auto none = expect_no_parameters(head.query); !none) {
          return bad_request(std::move(none).error());
        }
        break;
      case Parameters::kItsOwn:
      case Parameters::kIgnored:
        break;
    }
    return std::visit([&](auto handler) { return handler.answer(asking, services); },
                      route.handler);
  }
  if (!allow.empty()) return refusal_at(head.path, method_not_allowed(std::move(allow)));
  return error_reply(ErrorCode::kNotFound);
}

}  // namespace

ErrorReply refusal_at(std::string_view path, ErrorReply error) {
  return path == kAuthorization ? as_authorization(std::move(error)) : std::move(error);
}

Answer answer_by_routes(const RequestHead& head, std::string_view body, const PeerIdentity& peer,
                        const HealthServices& metrics_port) {
  return answer_from<MetricsPortRoute>(kMetricsPort, head, body, peer, metrics_port);
}

Answer answer_by_routes(const RequestHead& head, std::string_view body, const PeerIdentity& peer,
                        const TokenServices& token_socket) {
  return answer_from<TokenSocketRoute>(kTokenSocket, head, body, peer, token_socket);
}

Answer answer_by_routes(const RequestHead& head, std::string_view body, const PeerIdentity& peer,
                        const AdminServices& admin_socket) {
  if (!admin_socket.policy.may_administer(peer)) return error_reply(ErrorCode::kForbidden);
  return answer_from<AdminSocketRoute>(kAdminSocket, head, body, peer, admin_socket);
}

}  // namespace rota
