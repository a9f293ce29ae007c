#include "api/frontend.h"

#include <utility>

#include "api/token_api.h"
#include "base/check.h"

namespace rota {

Frontend Frontend::token_socket(TokenService& tokens, const AccessPolicy& policy,
                                const HealthService& health) {
  return Frontend(TokenServices{{health}, tokens, policy});
}

Frontend Frontend::admin_socket(TokenService& tokens, const AccessPolicy& policy,
                                const HealthService& health, AdminService& admin) {
  return Frontend(AdminServices{{{health}, tokens, policy}, admin});
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

const TokenServices& Frontend::token_services() const {
  if (const auto* token_socket = std::get_if<TokenServices>(&services_)) return *token_socket;
  const auto* admin_socket = std::get_if<AdminServices>(&services_);
  ROTA_CHECK(admin_socket != nullptr);
  return *admin_socket;
}

TokenOutcome Frontend::settle(const Asked& asked, const WaitAnswer& wait,
                              const PeerIdentity& peer) const {
  const TokenServices& services = token_services();
  return settle_token(asked, wait, peer, services.policy, services.tokens.table(),
                      services.tokens.circle_now());
}

std::unique_ptr<WatchStream> Frontend::open_watch(WatchReply watch, const PeerIdentity& peer,
                                                  std::move_only_function<void()> wake) const {
  const TokenServices& services = token_services();
  return std::make_unique<WatchStream>(std::move(watch.keys), peer, services.tokens,
                                       services.policy, std::move(wake));
}

}  // namespace rota
