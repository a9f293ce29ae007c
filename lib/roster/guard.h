#pragma once

#include <cstddef>

namespace rota {

// The mass-retirement guard (P6).
struct GuardPolicy {
  std::size_t max_retire_count = 5;
  double max_retire_fraction = 0.02;

  bool operator==(const GuardPolicy&) const = default;
};

// Whether a roster that retires `retire` of `active` members must wait for an operator: if `retire`
// is more than max_retire_count and also more than max_retire_fraction of `active`.
bool held_by_guard(std::size_t retire, std::size_t active, const GuardPolicy& policy);

}  // namespace rota
