#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>

#include "base/text.h"
#include "cli/exit_code.h"
#include "settings/hardening.h"
#include "settings/write_all.h"

namespace rota::cli {
namespace {

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

void wait_for_input(int descriptor) { wait_for(descriptor, POLLIN); }

void open_standard_descriptors() {
  if (!rota::open_standard_descriptors()) ::_exit(static_cast<int>(ExitCode::kFailed));
}

Result<void> StandardOutput::out(std::string_view text) {
  auto written = write_all(STDOUT_FILENO, text);
  if (!written && written.error().kind == ErrorKind::kFull) end_without_reader();
  return written;
}

std::optional<std::size_t> StandardOutput::columns() const {
  constexpr std::size_t kUnknown = 80;
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0) return std::nullopt;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUnknown;
  return size.ws_col;
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
