#include "plan/backoff.h"

#include <algorithm>

namespace rota {

Duration backoff_delay(int failures, Duration cap, Random& random) {
  constexpr int kDoublingsMax = 20;
  const int doublings = std::clamp(failures - 1, 0, kDoublingsMax);
  const Duration ceiling = std::min(cap, kBackoffBase * (std::int64_t{1} << doublings));
  return std::max(kBackoffFloor, random.up_to(ceiling));
}

Duration dead_arrival_delay(int arrivals, Random& random) {
  return std::max(kDeadArrivalGapMin, backoff_delay(arrivals, kDeadArrivalGapMax, random));
}

Duration backoff_cap(Duration token_lifetime) {
  return std::clamp(token_lifetime / 8, kBackoffCapMin, kBackoffCap);
}

Duration backoff_cap(Duration token_lifetime, Duration left) {
  const Duration cap = backoff_cap(token_lifetime);
  return left > Duration{0} ? std::clamp(left / 2, std::min(kBackoffCapMin, cap), cap) : cap;
}

}  // namespace rota
