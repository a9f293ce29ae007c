#pragma once

#include <cstddef>

#include "base/result.h"
#include "settings/settings.h"

namespace rota {

// Open files of the process (RLIMIT_NOFILE), shared out at the start: whoever fills one socket
// takes none from the store, the calls to Circle or the other sockets.
struct DescriptorShare {
  std::size_t token_clients = 0;  // max_connections, or as many as fit
  // Clients get no descriptor from these numbers on. That counts what nobody foresaw as well.
  int clients_end = 0;
  int admin_end = 0;
};

// Clients of the admin socket, and of metrics_listen: those who ask are few.
inline constexpr std::size_t kAdminConnectionsMax = 64;
inline constexpr std::size_t kMetricsConnectionsMax = 64;

// kConfig, naming the limit that would do: fewer than a handful of clients fit beside the rest.
Result<DescriptorShare> share_descriptors(std::size_t limit, const ServeSettings& serve,
                                          std::size_t calls_max);

// Raises the soft limit to the hard one, and returns what the limit is now.
std::size_t raise_descriptor_limit();

}  // namespace rota
