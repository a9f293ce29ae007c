#pragma once

#include "base/time.h"

namespace rota {

// The machine's own clocks: CLOCK_REALTIME and CLOCK_BOOTTIME. Any thread.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

}  // namespace rota
