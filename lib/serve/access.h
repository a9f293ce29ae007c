#pragma once

#include <cstdint>

#include "table/table.h"

namespace rota {

// Who is at the other end of a connection, as the kernel recorded it when the client connected.
struct PeerIdentity {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;  // for messages only: the process may be gone, its number given again
};

// Who comes over TCP: (uid_t)-1, which no process can have. Unlike the user "nobody", no grant can
// name it.
inline constexpr PeerIdentity kPeerUnknown{
    .uid = static_cast<std::uint32_t>(-1), .gid = static_cast<std::uint32_t>(-1), .pid = 0};

// Who may do what. Without grants, root and the daemon's own user may do everything and nobody else
// anything.
class AccessPolicy {
 public:
  explicit AccessPolicy(std::uint32_t own_uid) : own_uid_(own_uid) {}

  // Whether the peer may have this member's tokens. Null is a name that leads to nobody: the answer
  // is then the one for a member without tags, so that a refusal tells nothing about who exists.
  bool may_read(const PeerIdentity& peer, const Published* member) const;
  bool may_administer(const PeerIdentity& peer) const;

 private:
  std::uint32_t own_uid_;
};

}  // namespace rota
