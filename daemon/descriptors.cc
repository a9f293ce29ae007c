#include "daemon/descriptors.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace rota {
namespace {

// Database, log, roster, credentials and the loop, with some room.
constexpr std::size_t kOwn = 32;
constexpr std::size_t kSpare = 64;
constexpr std::size_t kClientsMin = 16;
// The kernel may allow more, but every descriptor must fit into an int.
constexpr std::size_t kLimitMax = 1'000'000'000;

}  // namespace

Result<DescriptorShare> share_descriptors(std::size_t limit, const ServeSettings& serve,
                                          std::size_t calls_max, bool listens) {
  limit = std::min(limit, kLimitMax);
  const std::size_t metrics = serve.metrics_listen ? kMetricsConnectionsMax : 0;
  const std::size_t others =
      kOwn + kSpare + kAdminConnectionsMax + metrics + calls_max + (listens ? kClientsMin : 0);
  if (limit < others + kClientsMin) {
    return fail(
        ErrorKind::kConfig,
        fmt::format("{} open files (LimitNOFILE=, ulimit -n) are too few: max_connections = "
                    "{} needs {}, and rotad needs at least {}",
                    limit, serve.max_connections, others + serve.max_connections,
                    others + kClientsMin));
  }
  // The token socket comes first.
  const std::size_t token = std::min(serve.max_connections, limit - others);
  const std::size_t listener = kClientsMin + limit - others - token;
  return DescriptorShare{
      .token_clients = token,
      .listener_clients = listens ? std::min(serve.max_connections, listener) : 0,
      .clients_end = static_cast<int>(limit - kSpare),
      .admin_end = static_cast<int>(limit - kSpare / 2)};
}

std::size_t raise_descriptor_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  const rlim_t before = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : before;
}

}  // namespace rota
