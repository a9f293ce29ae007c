#include "base/random.h"

namespace rota {

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

std::uint64_t Random::below(std::uint64_t bound) {
  // The bias of the remainder is far below what jitter could show.
  return bound == 0 ? 0 : next() % bound;
}

double Random::fraction() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

Duration Random::up_to(Duration limit) {
  if (limit <= Duration{0}) return Duration{0};
  return Duration{static_cast<Duration::rep>(below(static_cast<std::uint64_t>(limit.count()) + 1))};
}

}  // namespace rota
