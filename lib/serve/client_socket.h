#pragma once

#include <sys/types.h>

#include <span>

#include "serve/socket_closer.h"

namespace rota {

// Asks the kernel to let nobody put descriptors into the queue of this Unix socket, or of sockets
// that connect to it from now on. False if the kernel cannot (before Linux 6.16).
bool refuse_descriptors(int unix_socket);

// A client's socket. A Unix socket can bring descriptors (SCM_RIGHTS). If we are the last to close
// one, that may block for as long as the client likes. It happens in a read without room for
// descriptors, or when we close a socket that has some in its queue. We never take any (P11): if
// the kernel has not refused them from the start, a read peeks first, and fails if there are some;
// and `closer` closes a socket with anything unread. Loop thread only.
class ClientSocket {
 public:
  // Owns `fd`, a connected non-blocking socket. `may_bring_descriptors`: ListenSocket's. `closer`
  // must outlive this object.
  ClientSocket(int fd, bool may_bring_descriptors, SocketCloser& closer);
  ~ClientSocket() { close(); }
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  int fd() const { return fd_; }
  // As recv(2); `room` is not empty. EBADMSG if the client sent a descriptor: then close it.
  ssize_t receive(std::span<char> room) const;
  // Never blocks. Does nothing if it is closed.
  void close();

 private:
  const bool guarded_;  // whether its queue may hold descriptors
  SocketCloser& closer_;
  int fd_;
};

}  // namespace rota
