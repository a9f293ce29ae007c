#pragma once

#include <optional>

#include "api/access.h"

namespace rota {

// Asks the kernel who connected: user, primary group and process as they were at that moment. None,
// with errno: the kernel does not say. Never blocks; one call.
std::optional<PeerIdentity> peer_of(int unix_socket);
// Adds the supplementary groups of that moment. False, with errno: the kernel does not say. Never
// blocks; one call, or three for a process of many groups.
bool add_groups(int unix_socket, PeerIdentity& peer);

}  // namespace rota
