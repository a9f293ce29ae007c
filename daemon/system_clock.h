#pragma once

#include "base/time.h"
#include "model/record.h"

namespace rota {

// The machine's own clocks: CLOCK_REALTIME and CLOCK_BOOTTIME. Any thread.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

// This run of the kernel, as $ROTA_BOOT_ID or the kernel says. Where neither does, one that is
// equal to no other.
BootId this_boot();

}  // namespace rota
