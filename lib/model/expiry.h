#pragma once

#include "base/time.h"

namespace rota {

// A token that has no more life than this counts as expired: clocks and networks are not exact
// (P1).
inline constexpr Duration kExpiryMargin{1'000};

// Both times are on Circle's clock.
inline bool alive(WallTime expires_at, WallTime circle_now) {
  return circle_now + kExpiryMargin < expires_at;
}

}  // namespace rota
