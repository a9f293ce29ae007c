#include "cli/console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/output.h"
#include "settings/write_all.h"

namespace rota::cli {
namespace {

constexpr std::size_t kLineMax = 4'096;
constexpr char kInterrupt = '\x03';
constexpr char kEndOfFile = '\x04';
// The terminal handles these itself while it shows what is typed.
constexpr char kErase = '\x7f';
constexpr char kErase2 = '\b';
constexpr char kEraseAll = '\x15';

std::unexpected<Error> failure() {
  return fail(ErrorKind::kIo, fmt::format("the terminal: {}", std::strerror(errno)));
}

}  // namespace

Terminal::Terminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}

Terminal::~Terminal() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Secret> Terminal::read_line() {
  std::string line(kLineMax, '\0');
  std::size_t used = 0;
  while (used < line.size()) {
    char c = 0;
    const ssize_t got = ::read(fd_, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      wait_for_input(fd_);
      continue;
    }
    if (got < 0) {
      wipe(line);
      return failure();
    }
    if (got == 0 || c == kInterrupt || c == kEndOfFile) {
      wipe(line);
      return fail(ErrorKind::kInvalid, "interrupted: nothing was changed");
    }
    if (c == '\n') break;
    if (c == kErase || c == kErase2) {
      used -= used > 0 ? 1 : 0;
    } else if (c == kEraseAll) {
      used = 0;
    } else {
      line[used++] = c;
    }
  }
  Secret result(std::string_view(line).substr(0, used));
  wipe(line);
  return result;
}

Result<std::string> Terminal::ask(std::string_view question) {
  ROTA_TRY(write_all(fd_, question));
  ROTA_ASSIGN(const Secret line, read_line());
  return std::string(line.reveal());
}

Result<Secret> Terminal::ask_unseen(std::string_view question) {
  termios before{};
  if (::tcgetattr(fd_, &before) != 0) return failure();
  termios unseen = before;
  // Without ISIG an interrupt comes as a character, so the echo is always switched on again.
  // Without ICANON it comes at once, and we have to handle erasing.
  unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG | ICANON);
  unseen.c_cc[VMIN] = 1;
  unseen.c_cc[VTIME] = 0;
  if (::tcsetattr(fd_, TCSAFLUSH, &unseen) != 0) return failure();
  const auto asked = write_all(fd_, question);
  auto line = asked ? read_line() : Result<Secret>(std::unexpected(asked.error()));
  ::tcsetattr(fd_, TCSAFLUSH, &before);
  static_cast<void>(write_all(fd_, "\n"));
  return line;
}

}  // namespace rota::cli
