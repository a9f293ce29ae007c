#pragma once

#include "base/result.h"

namespace rota {

// Before any secret is read: no core dump, no ptrace and no /proc/PID/mem for others of the same
// user (P10), and a umask that gives nothing away. kIo when the kernel refuses.
Result<void> harden_process();

// Opens /dev/null for each of the descriptors 0 to 2 that is closed. Otherwise the database or a
// socket would get that number, and be written to as standard output or error. False if it cannot.
bool open_standard_descriptors();

// From here on SIGTERM and SIGINT end the process at once, with 0, until somebody else handles
// them. A start may take long, and it has nothing to bring to an end.
void end_on_stop_signals();

// SIGHUP ends a process that does not handle it yet. One that comes during the start waits until it
// is released, and is a reload then. Both are for the loop thread; holding makes the system call
// itself, since it comes before anything is initialized.
void hold_reload_signal();
void release_reload_signal();

}  // namespace rota
