#pragma once

#include "base/time.h"
#include "model/record.h"

namespace rota {

// The machine's own clocks: CLOCK_REALTIME and CLOCK_BOOTTIME. Any thread.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

// This run of the kernel. Where it cannot be told, one that is equal to no other.
BootId this_boot();

}  // namespace rota
