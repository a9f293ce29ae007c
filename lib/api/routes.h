#pragma once

#include <string_view>
#include <utility>
#include <variant>

#include "api/access.h"
#include "api/answer.h"
#include "api/services.h"
#include "base/result.h"
#include "http/http_head.h"
#include "http/response.h"

namespace rota {

class CircleLogins;

// What stands behind a socket. Each has what the one before it has; all of it outlives whoever
// holds it.
struct HealthServices {
  const HealthService& health;
};
struct TokenServices : HealthServices {
  TokenService& tokens;
  const AccessPolicy& policy;      // may change between two requests
  CircleLogins* logins = nullptr;  // null: Circle's routes answer 503
};
struct AdminServices : TokenServices {
  AdminService& admin;
};

// One request that a route answers.
struct Asking {
  const RequestHead& head;
  const PeerIdentity& peer;
  std::string_view key;  // what stands in the place of the path's "{key}", still percent-encoded
  // At most kRequestBodyBytesMax bytes, as they came. It may hold a token, and is wiped once the
  // route has returned: a route that keeps some of it keeps a secret as Secret.
  std::string_view body{};
};

// What a route's answer is made of, and so on which sockets it can be: to put one that needs tokens
// on the metrics port does not compile.
struct NeedsHealth {
  Answer (*answer)(const Asking&, const HealthServices&);
};
struct NeedsTokens {  // it judges by itself what is granted to the peer
  Answer (*answer)(const Asking&, const TokenServices&);
};
struct NeedsAdmin {
  Answer (*answer)(const Asking&, const AdminServices&);
};

// For a request whose parameters or key are wrong.
inline ErrorReply bad_request(Error error) {
  return error_reply(ErrorCode::kBadRequest, std::move(error.message));
}

// What may follow a "?".
enum class Parameters {
  kNone,     // any is an error
  kItsOwn,   // its answer reads them, and refuses others
  kIgnored,  // some probes put a number there
};

// A path as a list of routes has it. "{key}" stands for one part of the path, which may be empty.
class PathPattern {
 public:
  consteval PathPattern(const char* text) : before_(text) {
    constexpr std::string_view kVariable = "{key}";
    const auto at = before_.find(kVariable);
    if (at == std::string_view::npos) return;
    has_key_ = true;
    after_ = before_.substr(at + kVariable.size());
    before_ = before_.substr(0, at);
  }

  // Whether it is this path; sets `key` if the pattern has one.
  constexpr bool matches(std::string_view path, std::string_view& key) const {
    if (!has_key_) return path == before_;
    if (path.size() < before_.size() + after_.size()) return false;
    if (!path.starts_with(before_) || !path.ends_with(after_)) return false;
    path.remove_prefix(before_.size());
    path.remove_suffix(after_.size());
    if (path.contains('/')) return false;
    key = path;
    return true;
  }

 private:
  std::string_view before_;
  std::string_view after_;
  bool has_key_ = false;
};

// One line of a socket's list (routes.cc). `Needs`: what the socket has to offer.
template <class... Needs>
struct Route {
  std::string_view method;  // GET stands for HEAD, too
  PathPattern path;
  Parameters parameters;
  std::variant<Needs...> handler;
};
using MetricsPortRoute = Route<NeedsHealth>;
using TokenSocketRoute = Route<NeedsHealth, NeedsTokens>;
using AdminSocketRoute = Route<NeedsHealth, NeedsTokens, NeedsAdmin>;

// Answers one request at a socket with these services, by the list of that socket: 404 for a path
// that is not on it, 405 for another method, 400 for parameters where there are none. The admin
// socket refuses whoever may not administer, whatever is asked. Pure. Loop thread only.
Answer answer_by_routes(const RequestHead& head, std::string_view body, const PeerIdentity& peer,
                        const HealthServices& metrics_port);
Answer answer_by_routes(const RequestHead& head, std::string_view body, const PeerIdentity& peer,
                        const TokenServices& token_socket);
Answer answer_by_routes(const RequestHead& head, std::string_view body, const PeerIdentity& peer,
                        const AdminServices& admin_socket);

// The reply that stands for `error` at this path of a token or admin socket. All but
// /v1/authorization have none of their own.
ErrorReply refusal_at(std::string_view path, ErrorReply error);

}  // namespace rota
