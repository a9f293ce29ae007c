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

// What one socket answers: how the daemon is, the token routes, and the admin routes, as far as it
// has the services behind them. Decides only; sessions carry the answers out. What it is made of
// must outlive it; `policy` may change between two requests. Loop thread only.
class Frontend {
 public:
  // `admin` is null for the token socket.
  Frontend(TokenService& tokens, const AccessPolicy& policy, const HealthService& health,
           AdminService* admin)
      : tokens_(&tokens), policy_(&policy), health_(health), admin_(admin) {}
  // Has nothing to give away: health and metrics only, for a listener that knows no peer.
  explicit Frontend(const HealthService& health) : health_(health) {}

  Answer answer(const RequestHead& request, const PeerIdentity& peer) const;

  // Only where answer() gave a token or a wait.
  TokenOutcome settle(const Asked& asked, const WaitAnswer& wait, const PeerIdentity& peer) const;
  // Only where answer() gave a watch. `peer` must outlive the stream.
  std::unique_ptr<WatchStream> open_watch(WatchReply watch, const PeerIdentity& peer,
                                          std::move_only_function<void()> wake) const;
  TokenService& tokens() const { return *tokens_; }

 private:
  Answer answer_watch(const RequestHead& request, const PeerIdentity& peer) const;
  void note_use(const TokenQuery& query, const Answer& answer) const;

  TokenService* const tokens_ = nullptr;  // with policy_
  const AccessPolicy* const policy_ = nullptr;
  const HealthService& health_;
  AdminService* const admin_ = nullptr;
};

}  // namespace rota
