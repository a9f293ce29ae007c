#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

namespace rota::testing {

// A TCP socket whose last close blocks for an hour, as long as this object lives: its peer reads
// nothing, it has more to send, and SO_LINGER wants that sent.
class LingeringSocket {
 public:
  LingeringSocket();
  ~LingeringSocket();
  LingeringSocket(const LingeringSocket&) = delete;
  LingeringSocket& operator=(const LingeringSocket&) = delete;

  int fd() const { return fd_; }
  // Closes ours, once somebody else has it, too: theirs will be the last close.
  void let_go();

 private:
  int fd_ = -1;
  int peer_ = -1;
};

// sendmsg() of `bytes` with these descriptors on a Unix socket; its result, errno included.
ssize_t send_descriptors(int unix_socket, std::string_view bytes, const std::vector<int>& fds,
                         int flags = 0);

}  // namespace rota::testing
