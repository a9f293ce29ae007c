#pragma once

#include "base/time.h"

namespace rota {

// The life below which a token counts as expired: clocks and networks are not exact (P1).
inline constexpr Duration kExpiryMargin{1'000};

inline bool alive(WallTime expires_at, WallTime circle_now) {
  return circle_now + kExpiryMargin < expires_at;
}

}  // namespace rota
