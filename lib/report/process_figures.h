#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace rota {

// What the kernel says of the daemon's process, for metrics.
struct ProcessFigures {
  double cpu_seconds = 0;  // user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;  // the soft limit
  WallTime started_at{};      // this machine's clock
};

}  // namespace rota
