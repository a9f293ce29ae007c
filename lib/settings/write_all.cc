#include "settings/write_all.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rota {

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

void wait_for(int descriptor, short events) {
  pollfd waited{.fd = descriptor, .events = events, .revents = 0};
  while (::poll(&waited, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace rota
