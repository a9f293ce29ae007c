#include "serve/access.h"

namespace rota {

bool AccessPolicy::may_read(const PeerIdentity& peer, const Published* /*member*/) const {
  return may_administer(peer);
}

bool AccessPolicy::may_administer(const PeerIdentity& peer) const {
  return peer.uid == 0 || peer.uid == own_uid_;
}

}  // namespace rota
