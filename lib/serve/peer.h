#pragma once

#include <optional>

#include "api/access.h"

namespace rota {

// Asks the kernel who connected: user, primary group and process as they were when the client
// connected. Nullopt, with errno set, if the kernel does not say. `groups` stays empty. One system
// call, which never blocks.
std::optional<PeerIdentity> peer_of(int unix_socket);
// Sets `peer.groups` to the groups that the peer had when it connected, primary and supplementary,
// sorted. False, with errno set, if the kernel does not say. Never blocks.
bool add_groups(int unix_socket, PeerIdentity& peer);

}  // namespace rota
