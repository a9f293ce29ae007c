#include "api/frontend.h"

#include <utility>

#include "api/circle_logins.h"
#include "api/circle_routes.h"
#include "api/token_api.h"
#include "base/check.h"
#include "http/circle_reply.h"

namespace rota {

Frontend Frontend::token_socket(TokenService& tokens, const AccessPolicy& policy,
                                const HealthService& health, CircleLogins* logins) {
  return Frontend(TokenServices{{health}, tokens, policy, logins});
}

Frontend Frontend::admin_socket(TokenService& tokens, const AccessPolicy& policy,
                                const HealthService& health, AdminService& admin,
                                CircleLogins* logins) {
  return Frontend(AdminServices{{{health}, tokens, policy, logins}, admin});
}

Frontend Frontend::listener(TokenService& tokens, const AccessPolicy& policy,
                            const HealthService& health, const ListenerDoor& door,
                            CircleLogins* logins) {
  return Frontend(TokenServices{{health}, tokens, policy, logins}, door);
}

Frontend Frontend::metrics_port(const HealthService& health) {
  return Frontend(HealthServices{health});
}

Answer Frontend::answer(const RequestHead& request, std::string_view body,
                        const PeerIdentity& peer) const {
  return std::visit(
      [&](const auto& services) { return answer_by_routes(request, body, peer, services); },
      services_);
}

ErrorReply Frontend::refusal(std::string_view path, ErrorReply error) const {
  if (std::holds_alternative<HealthServices>(services_)) return error;
  return refusal_at(path, std::move(error));
}

const TokenServices& Frontend::token_services() const {
  if (const auto* token_socket = std::get_if<TokenServices>(&services_)) return *token_socket;
  const auto* admin_socket = std::get_if<AdminServices>(&services_);
  ROTA_CHECK(admin_socket != nullptr);
  return *admin_socket;
}

TokenOutcome Frontend::settle(const Asked& asked, const WaitAnswer& wait,
                              const PeerIdentity& peer) const {
  const TokenServices& services = token_services();
  const Table& table = services.tokens.table();
  if (asked.shape == TokenShape::kMember) {
    if (!services.policy.enrolment_of(peer)) return error_reply(ErrorCode::kForbidden);
    return settle_enrolment(asked, wait, table.find(asked.key));
  }
  TokenOutcome outcome =
      settle_token(asked, wait, peer, services.policy, table, services.tokens.circle_now());
  switch (asked.shape) {
    case TokenShape::kToken:
    case TokenShape::kMember:
      return outcome;
    case TokenShape::kPair:
    case TokenShape::kRefreshed:
      return settle_in_circles_words(asked, std::move(outcome), services);
    case TokenShape::kAuthorization:
      if (auto* error = std::get_if<ErrorReply>(&outcome)) {
        return as_authorization(std::move(*error));
      }
      return outcome;
  }
  ROTA_CHECK(false);
}

void Frontend::give(const TokenReply& token, const PeerIdentity& peer, ReplyForm form,
                    Buffer& out) const {
  const TokenServices& services = token_services();
  const Asked& asked = token.asked;
  switch (asked.shape) {
    case TokenShape::kAuthorization:
      append_authorization(out, *token.row, token.circle_now, form);
      break;
    case TokenShape::kToken:
    case TokenShape::kMember:
      append_token(out, *token.row, token.circle_now, form);
      break;
    case TokenShape::kPair: {
      const auto made = services.logins->make(*token.row, asked.holder, token.circle_now);
      append_pair(out, *token.row, token.circle_now, made.text, made.expires_at, form);
      ++services.logins->counts().logins;
      services.logins->note_given(asked.holder, *token.row);
      break;
    }
    case TokenShape::kRefreshed:
      append_refreshed(out, *token.row, token.circle_now, form);
      ++services.logins->counts().refreshes;
      services.logins->note_given(asked.holder, *token.row);
      break;
  }
  // An authorization is in the head, so a HEAD gives it too.
  const bool in_head = asked.shape == TokenShape::kAuthorization;
  if (in_head || !form.head_only) services.tokens.note_fetch(*token.row, caller_of(peer));
}

std::unique_ptr<WatchStream> Frontend::open_watch(WatchReply watch, const PeerIdentity& peer,
                                                  std::move_only_function<void()> wake) const {
  const TokenServices& services = token_services();
  return std::make_unique<WatchStream>(std::move(watch.keys), peer, services.tokens,
                                       services.policy, std::move(wake));
}

}  // namespace rota
