#pragma once

#include <functional>
#include <memory>

#include "rotator/service.h"
#include "serve/access.h"
#include "serve/answer.h"
#include "serve/http_head.h"
#include "serve/query.h"
#include "serve/watch_stream.h"

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

  // What becomes of a refusal (and of a watch, which begins with all that are refused) that the
  // roster may be about to overturn: it is given; the request is held; or it is told to come again.
  // Held, too, is who would hear that the daemon is not ready.
  enum class Refusals { kGiven, kHeld, kPutOff };
  void set_refusals(Refusals refusals) { refusals_ = refusals; }

  Answer answer(const RequestHead& request, const PeerIdentity& peer) const;

  // Only where answer() gave a token or a wait.
  TokenOutcome settle(const MemberKey& asked, const WaitAnswer& wait,
                      const PeerIdentity& peer) const;
  // Only where answer() gave a watch. `peer` must outlive the stream.
  std::unique_ptr<WatchStream> open_watch(WatchReply watch, const PeerIdentity& peer,
                                          std::move_only_function<void()> wake) const;
  TokenService& tokens() const { return *tokens_; }

 private:
  Answer answer_for_token(const RequestHead& request, const PeerIdentity& peer) const;
  Answer unless_too_early(Answer answer) const;
  Answer answer_watch(const RequestHead& request, const PeerIdentity& peer) const;
  void note_use(const TokenQuery& query, const Answer& answer) const;

  TokenService* const tokens_ = nullptr;  // with policy_
  const AccessPolicy* const policy_ = nullptr;
  const HealthService& health_;
  AdminService* const admin_ = nullptr;
  Refusals refusals_ = Refusals::kGiven;
};

}  // namespace rota
