#pragma once

#include <sys/types.h>

#include <span>

#include "serve/socket_closer.h"

namespace rota {

// Asks the kernel to let nobody put descriptors into the queue of this Unix socket, or of those
// that connect to it from then on. False: it has no such option (before Linux 6.16).
bool refuse_descriptors(int unix_socket);

// A client's socket. A Unix one can bring descriptors (SCM_RIGHTS), whose last close would be ours
// and may block for as long as the client likes: by a read without room for them, or by the close
// of a socket that has them in its queue. We want none. Where the kernel did not refuse them from
// the first moment on, a read looks first, takes none of them into the process, and fails; and a
// socket with anything unread is closed by `closer`. Loop thread only.
class ClientSocket {
 public:
  // Takes over `fd`, connected, which does not block. `may_bring_descriptors`: its listening socket
  // has not refused them from the first moment on. `closer` must outlive it.
  ClientSocket(int fd, bool may_bring_descriptors, SocketCloser& closer);
  ~ClientSocket() { close(); }
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  int fd() const { return fd_; }
  // As recv(2), for at least one byte. EBADMSG: the client sent a descriptor. End it.
  ssize_t receive(std::span<char> room) const;
  // Never blocks. Harmless when closed.
  void close();

 private:
  const bool guarded_;  // its queue may hold descriptors
  SocketCloser& closer_;
  int fd_;
};

}  // namespace rota
