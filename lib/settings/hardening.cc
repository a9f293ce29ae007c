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
  // The wrong way round, so that using one is an error, not a silent success.
  for (const auto& [descriptor, way] :
       {std::pair{STDIN_FILENO, O_WRONLY}, std::pair{STDOUT_FILENO, O_RDONLY},
        std::pair{STDERR_FILENO, O_RDONLY}}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one: those below it are open by now.
    if (::open("/dev/null", way) != descriptor) return false;
  }
  return true;
}

void end_on_stop_signals() {
  // A handler, since the kernel gives process 1 of a container no signal without one.
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
    return fail(ErrorKind::kIo, fmt::format("RLIMIT_CORE: {}", std::strerror(errno)));
  }
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return fail(ErrorKind::kIo, fmt::format("PR_SET_DUMPABLE: {}", std::strerror(errno)));
  }
  ::umask(S_IRWXG | S_IRWXO);
  // libcurl would write the keys of its TLS sessions into the file that this names.
  ::unsetenv("SSLKEYLOGFILE");
  // A client that hangs up while we write is an error of that one write.
  ::signal(SIGPIPE, SIG_IGN);
  return {};
}

}  // namespace rota
