#pragma once

#include "rotator/service.h"
#include "serve/access.h"
#include "serve/answer.h"
#include "serve/http_head.h"
#include "serve/query.h"

namespace rota {

// What one socket answers: the token socket's routes, and the admin socket's where it has the admin
// service. Decides only; sessions carry the answers out. What it is made of must outlive it;
// `policy` may change between two requests. Loop thread only.
class Frontend {
 public:
  // `admin` is null for the token socket.
  Frontend(TokenService& tokens, const AccessPolicy& policy, AdminService* admin)
      : tokens_(tokens), policy_(policy), admin_(admin) {}

  Answer answer(const RequestHead& request, const PeerIdentity& peer) const;
  TokenOutcome settle(MemberId member, const WaitAnswer& wait, const PeerIdentity& peer) const;
  TokenService& tokens() const { return tokens_; }

 private:
  void note_use(const TokenQuery& query, const Answer& answer) const;

  TokenService& tokens_;
  const AccessPolicy& policy_;
  AdminService* const admin_;
};

}  // namespace rota
