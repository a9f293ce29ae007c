#pragma once

#include <cstdint>

#include "base/time.h"

namespace rota {

// A seeded generator (splitmix64). The same seed gives the same numbers, so the simulation can
// replay a run. For jitter and spread only; keys and nonces come from libsodium.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next();
  // Uniform in [0, bound); 0 if bound is 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double fraction();
  // Uniform in [0, limit]; 0 if limit is not positive.
  Duration up_to(Duration limit);

 private:
  std::uint64_t state_;
};

}  // namespace rota
