#pragma once

#include <functional>
#include <memory>

#include "api/access.h"
#include "api/answer.h"
#include "api/services.h"
#include "api/watch_stream.h"
#include "http/http_head.h"
#include "http/query.h"

namespace rota {

// What one socket answers: the health routes and, if it has the services for them, the token routes
// and the admin routes. It only decides; sessions carry the answers out. The constructor's
// arguments must outlive it; `policy` may change between two requests. Loop thread only.
class Frontend {
 public:
  // A null `admin` makes the token socket's frontend.
  Frontend(TokenService& tokens, const AccessPolicy& policy, const HealthService& health,
           AdminService* admin)
      : tokens_(&tokens), policy_(&policy), health_(health), admin_(admin) {}
  // Health and metrics only, for a listener that does not know its peers: it has no secrets to
  // give.
  explicit Frontend(const HealthService& health) : health_(health) {}

  // Judges the request and the peer's right to it. Also notes the use of a member whose token was
  // asked for, and orders of operators for the audit trail.
  Answer answer(const RequestHead& request, const PeerIdentity& peer) const;

  // For a TokenReply or WaitReply of answer(), when the reply's turn comes: see settle_token().
  TokenOutcome settle(const Asked& asked, const WaitAnswer& wait, const PeerIdentity& peer) const;
  // For a WatchReply of answer(). `peer` and this frontend's services must outlive the stream.
  // `wake` is WatchStream's.
  std::unique_ptr<WatchStream> open_watch(WatchReply watch, const PeerIdentity& peer,
                                          std::move_only_function<void()> wake) const;
  // Not for a frontend with health and metrics only.
  TokenService& tokens() const { return *tokens_; }

 private:
  Answer answer_watch(const RequestHead& request, const PeerIdentity& peer) const;
  void note_use(const TokenQuery& query, const Answer& answer) const;

  TokenService* const tokens_ = nullptr;  // null if and only if policy_ is
  const AccessPolicy* const policy_ = nullptr;
  const HealthService& health_;
  AdminService* const admin_ = nullptr;
};

}  // namespace rota
