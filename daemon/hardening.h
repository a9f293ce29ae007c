#pragma once

#include "base/result.h"

namespace rota {

// Before any secret is read: no core dump, no ptrace and no /proc/PID/mem for others of the same
// user (P10), and a umask that gives nothing away. kIo when the kernel refuses.
Result<void> harden_process();

}  // namespace rota
