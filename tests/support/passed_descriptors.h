#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

namespace rota::testing {

// A TCP socket whose last close blocks for an hour, or until this object is destroyed: its peer
// reads nothing, it has bytes to send, and SO_LINGER makes the close wait for them.
class LingeringSocket {
 public:
  LingeringSocket();
  ~LingeringSocket();
  LingeringSocket(const LingeringSocket&) = delete;
  LingeringSocket& operator=(const LingeringSocket&) = delete;

  int fd() const { return fd_; }
  // Closes our descriptor. Once somebody else has one too, theirs is then the last close.
  void let_go();

 private:
  int fd_ = -1;
  int peer_ = -1;
};

// sendmsg() of `bytes` with these descriptors on a Unix socket. Returns its result and leaves
// errno.
ssize_t send_descriptors(int unix_socket, std::string_view bytes, const std::vector<int>& fds,
                         int flags = 0);

}  // namespace rota::testing
