#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "cli/exit_code.h"
#include "daemon/hardening.h"

namespace rota::cli {
namespace {

// Waits until poll() has `events`, or an error, of the descriptor.
void wait_for(int descriptor, short events) {
  pollfd waited{.fd = descriptor, .events = events, .revents = 0};
  while (::poll(&waited, 1, -1) < 0 && errno == EINTR) {
  }
}

[[noreturn]] void end_without_reader() {
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t mask{};
  sigemptyset(&mask);
  sigaddset(&mask, SIGPIPE);
  ::sigprocmask(SIG_UNBLOCK, &mask, nullptr);
  ::raise(SIGPIPE);
  constexpr int kAsAShellSaysIt = 128 + SIGPIPE;
  ::_exit(kAsAShellSaysIt);
}

}  // namespace

Result<void> write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        wait_for(descriptor, POLLOUT);
        continue;
      }
      return fail(errno == EPIPE ? ErrorKind::kFull : ErrorKind::kIo,
                  fmt::format("cannot write: {}", std::generic_category().message(errno)));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void wait_for_input(int descriptor) { wait_for(descriptor, POLLIN); }

void open_standard_descriptors() {
  if (!rota::open_standard_descriptors()) ::_exit(static_cast<int>(ExitCode::kFailed));
}

Result<void> StandardOutput::out(std::string_view text) {
  auto written = write_all(STDOUT_FILENO, text);
  if (!written && written.error().kind == ErrorKind::kFull) end_without_reader();
  return written;
}

void StandardOutput::look_for_reader() {
  pollfd looked{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  if (::poll(&looked, 1, 0) > 0 && (looked.revents & (POLLERR | POLLHUP)) != 0) {
    end_without_reader();
  }
}

void StandardOutput::err(std::string_view line) {
  static_cast<void>(write_all(STDERR_FILENO, fmt::format("rota: {}\n", visible(line))));
}

}  // namespace rota::cli
