#include "settings/hardening.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace rota {
namespace {

sigset_t reload_signal() {
  sigset_t set{};
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

bool open_standard_descriptors() {
  // Input opens write-only and output read-only, so that using one fails instead of being ignored.
  for (const auto& [descriptor, way] :
       {std::pair{STDIN_FILENO, O_WRONLY}, std::pair{STDOUT_FILENO, O_RDONLY},
        std::pair{STDERR_FILENO, O_RDONLY}}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() takes the lowest free number, and those below this one are open by now.
    if (::open("/dev/null", way) != descriptor) return false;
  }
  return true;
}

void end_on_stop_signals() {
  // The kernel delivers a signal to process 1 of a container only if it has a handler.
  struct sigaction end{};
  end.sa_handler = [](int) { ::_exit(0); };
  for (const int signal : {SIGTERM, SIGINT}) ::sigaction(signal, &end, nullptr);
}

void hold_reload_signal() {
  static constexpr std::uint64_t kMask = std::uint64_t{1} << (SIGHUP - 1);
  ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, &kMask, nullptr, sizeof kMask);
}

void release_reload_signal() {
  const sigset_t set = reload_signal();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Result<void> harden_process() {
  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) {
    return fail(ErrorKind::kIo,
                fmt::format("cannot turn off core dumps (RLIMIT_CORE): {}", std::strerror(errno)));
  }
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return fail(ErrorKind::kIo,
                fmt::format("cannot hide the memory of the process (PR_SET_DUMPABLE): {}",
                            std::strerror(errno)));
  }
  ::umask(S_IRWXG | S_IRWXO);
  // libcurl would write the keys of its TLS sessions to the file that this variable names.
  ::unsetenv("SSLKEYLOGFILE");
  // If a client hangs up, only the write to it fails.
  ::signal(SIGPIPE, SIG_IGN);
  return {};
}

}  // namespace rota
