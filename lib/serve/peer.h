#pragma once

#include <optional>

#include "serve/access.h"

namespace rota {

// Asks the kernel who connected: user, group and supplementary groups as they were at that moment.
// None, with errno: the kernel does not say. Blocks never; costs two calls, or four for a process
// of many groups.
std::optional<PeerIdentity> identify_peer(int unix_socket);

}  // namespace rota
