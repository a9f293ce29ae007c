#pragma once

#include "base/time.h"
#include "model/record.h"

namespace rota {

// The machine's clocks: CLOCK_REALTIME and CLOCK_BOOTTIME. Safe on any thread.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

// The boot id, from $ROTA_BOOT_ID or from the kernel; if neither has one, a random one.
BootId this_boot();

}  // namespace rota
