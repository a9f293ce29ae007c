#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/text.h"
#include "cli/columns.h"
#include "cli/exit_code.h"
#include "settings/hardening.h"
#include "settings/write_all.h"

namespace rota::cli {
namespace {

sigset_t only(int signal) {
  sigset_t mask{};
  sigemptyset(&mask);
  sigaddset(&mask, signal);
  return mask;
}

// As the signal ends other programs.
[[noreturn]] void end_by(int signal) {
  std::signal(signal, SIG_DFL);
  const sigset_t mask = only(signal);
  ::sigprocmask(SIG_UNBLOCK, &mask, nullptr);
  ::raise(signal);
  constexpr int kAsAShellSaysIt = 128;
  ::_exit(kAsAShellSaysIt + signal);
}
[[noreturn]] void end_without_reader() { end_by(SIGPIPE); }

bool is_set(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the command has one thread.
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

constexpr std::size_t kColumns = 80;                // of a terminal that does not say
constexpr std::string_view kLineAnew = "\r\x1b[K";  // the terminal's last line, emptied

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
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0) return std::nullopt;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumns;
  return size.ws_col;
}

bool StandardOutput::has_colours() const { return columns().has_value() && !is_set("NO_COLOR"); }

int StandardOutput::begin_work() {
  work_began_ = std::chrono::steady_clock::now();
  const sigset_t mask = only(SIGINT);
  if (::sigprocmask(SIG_BLOCK, &mask, nullptr) != 0) return -1;
  interrupts_ = ::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (interrupts_ < 0) ::sigprocmask(SIG_UNBLOCK, &mask, nullptr);
  return interrupts_;
}

void StandardOutput::working(std::string_view what, std::string_view goes_on) {
  signalfd_siginfo signal{};
  if (interrupts_ >= 0 && ::read(interrupts_, &signal, sizeof signal) == sizeof signal) {
    clear_progress();
    err(goes_on);
    end_by(SIGINT);
  }
  const auto passed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - work_began_);
  if (passed < std::chrono::seconds{1}) return;
  show_progress(fmt::format("{} ({} s)", what, passed.count()));
}

void StandardOutput::show_progress(std::string_view what) {
  if (::isatty(STDERR_FILENO) == 0) return;
  const std::string text = cut(visible(what), columns().value_or(kColumns) - 1);
  static_cast<void>(write_all(STDERR_FILENO, fmt::format("{}{}", kLineAnew, text)));
  shows_progress_ = true;
}

void StandardOutput::end_work() {
  clear_progress();
  if (interrupts_ < 0) return;
  // One that came at the very end has its usual effect now.
  ::close(std::exchange(interrupts_, -1));
  const sigset_t mask = only(SIGINT);
  ::sigprocmask(SIG_UNBLOCK, &mask, nullptr);
}

void StandardOutput::clear_progress() {
  if (std::exchange(shows_progress_, false)) {
    static_cast<void>(write_all(STDERR_FILENO, kLineAnew));
  }
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
