#include "roster/guard.h"

namespace rota {

bool held_by_guard(std::size_t retire, std::size_t active, const GuardPolicy& policy) {
  // Exactly the fraction is let through, even if the product is rounded down.
  constexpr double kRounding = 1e-6;
  const double allowed = policy.max_retire_fraction * static_cast<double>(active);
  return retire > policy.max_retire_count && static_cast<double>(retire) > allowed + kRounding;
}

}  // namespace rota
