#pragma once

#include <cstddef>

#include "base/result.h"
#include "settings/settings.h"

namespace rota {

// How the open files of the process (RLIMIT_NOFILE) are shared out at the start, so that clients
// that fill one socket take none from the store, the calls to Circle or the other sockets.
struct DescriptorShare {
  std::size_t token_clients = 0;     // max_connections, or as many as fit
  std::size_t listener_clients = 0;  // of all listeners together: max_connections, or what is left
  // Clients get no descriptor with this number or a larger one. That way descriptors that nobody
  // foresaw count too.
  int clients_end = 0;
  int admin_end = 0;
};

// Limits for the admin socket and for metrics_listen, which few clients use.
inline constexpr std::size_t kAdminConnectionsMax = 64;
inline constexpr std::size_t kMetricsConnectionsMax = 64;

// `calls_max`: calls to Circle at the same time. `listens`: whether there is a listener, whose
// clients get as many as the token socket's, if they fit. kConfig: fewer than 16 clients would fit;
// the message has the limits that would do.
Result<DescriptorShare> share_descriptors(std::size_t limit, const ServeSettings& serve,
                                          std::size_t calls_max, bool listens = false);

// Raises the soft limit to the hard one. Returns the limit in force, whether that worked or not.
std::size_t raise_descriptor_limit();

}  // namespace rota
