#pragma once

#include "base/result.h"

namespace rota {

// Protects the secrets that the process will hold (P10); to be called before any of them is read.
// No core dump, no ptrace and no /proc/PID/mem for other processes of the user, a umask of 077, no
// SSLKEYLOGFILE. It also ignores SIGPIPE. kIo: the kernel refused.
Result<void> harden_process();

// Opens /dev/null on each of the descriptors 0 to 2 that is closed. Otherwise the database or a
// socket would get that number, and what is meant for standard output or error would be written to
// it. To be called before anything else is opened. False: /dev/null cannot be opened.
bool open_standard_descriptors();

// From here on SIGTERM and SIGINT end the process at once, with exit status 0, until another
// handler is installed. A start may take long, and there is nothing yet that has to be finished.
void end_on_stop_signals();

// Without a handler SIGHUP ends the process. hold_reload_signal() blocks it, so that a SIGHUP
// during the start waits; after release_reload_signal() it is delivered and becomes a reload. Hold
// it on the main thread, before other threads start, and release it on the loop thread. Holding is
// a bare system call, because it runs before any library is initialized.
void hold_reload_signal();
void release_reload_signal();

}  // namespace rota
