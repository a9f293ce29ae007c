#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "api/access.h"
#include "api/answer.h"
#include "api/listener_door.h"
#include "api/routes.h"
#include "api/services.h"
#include "api/watch_stream.h"
#include "http/buffer.h"
#include "http/http_head.h"
#include "http/response.h"

namespace rota {

// What one socket answers. There are three lists of routes, by the services that a socket has
// (routes.h). It only decides; sessions carry the answers out. The services must outlive it.
// `policy` may change between two requests. Loop thread only.
class Frontend {
 public:
  // `logins`: what Circle's routes need; null: they answer 503.
  static Frontend token_socket(TokenService& tokens, const AccessPolicy& policy,
                               const HealthService& health, CircleLogins* logins = nullptr);
  static Frontend admin_socket(TokenService& tokens, const AccessPolicy& policy,
                               const HealthService& health, AdminService& admin,
                               CircleLogins* logins = nullptr);
  // The token socket's routes, for clients that show a bearer token.
  static Frontend listener(TokenService& tokens, const AccessPolicy& policy,
                           const HealthService& health, const ListenerDoor& door,
                           CircleLogins* logins = nullptr);
  // Health and metrics only, for a listener that does not know its peers: it has no secrets to
  // give.
  static Frontend metrics_port(const HealthService& health);

  // What each request has to pass before answer(); null: nothing, since the kernel knows the peers,
  // or there is nothing to protect.
  const ListenerDoor* door() const { return door_ ? &*door_ : nullptr; }
  // Judges the request, whose body is `body`, and the peer's right to it. Also notes the use of a
  // member whose token was asked for, and orders of operators for the audit trail.
  Answer answer(const RequestHead& request, std::string_view body, const PeerIdentity& peer) const;

  // How a request is refused that does not get as far as answer(), since it is malformed or not let
  // in: with `error`, unless the path has replies of its own. An empty path: it is not known.
  ErrorReply refusal(std::string_view path, ErrorReply error) const;

  // For a TokenReply or WaitReply of answer(), when the reply's turn comes: see settle_token().
  TokenOutcome settle(const Asked& asked, const WaitAnswer& wait, const PeerIdentity& peer) const;
  // Appends the reply with this token, and notes that the peer was given it. Every token of a fetch
  // leaves here.
  void give(const TokenReply& token, const PeerIdentity& peer, ReplyForm form, Buffer& out) const;
  // For a WatchReply of answer(). `peer` and this frontend's services must outlive the stream.
  // `wake` is WatchStream's.
  std::unique_ptr<WatchStream> open_watch(WatchReply watch, const PeerIdentity& peer,
                                          std::move_only_function<void()> wake) const;
  // Not for a metrics port.
  TokenService& tokens() const { return token_services().tokens; }

 private:
  using Services = std::variant<HealthServices, TokenServices, AdminServices>;

  explicit Frontend(Services services, std::optional<ListenerDoor> door = std::nullopt)
      : services_(services), door_(door) {}
  const TokenServices& token_services() const;

  const Services services_;
  const std::optional<ListenerDoor> door_;
};

}  // namespace rota
