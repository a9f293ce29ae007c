#include "cli/signals.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rota::cli {

Result<Signals> Signals::create(std::initializer_list<int> numbers) {
  Signals signals;
  sigset_t set{};
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  ::sigprocmask(SIG_BLOCK, &set, &signals.before_);
  signals.fd_ = Descriptor(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (signals.fd_.ok()) return signals;
  return fail(ErrorKind::kIo, fmt::format("cannot wait for signals: {}", std::strerror(errno)));
}

void Signals::each(const std::function<void(const signalfd_siginfo&)>& take) const {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) take(info);
}

void each_child(bool stopped, const std::function<void(pid_t child, int status)>& take) {
  int status = 0;
  while (true) {
    const pid_t child = ::waitpid(-1, &status, WNOHANG | (stopped ? WUNTRACED : 0));
    if (child <= 0) return;
    take(child, status);
  }
}

}  // namespace rota::cli
