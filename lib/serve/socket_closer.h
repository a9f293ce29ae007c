#pragma once

#include <cstddef>
#include <memory>

namespace rota {

// Closes sockets whose queue may hold descriptors that a client has put there. The last close of
// such a descriptor is ours, and takes as long as its owner has arranged: a TCP socket with
// SO_LINGER waits for its peer. Here it takes that time from a thread that has nothing else to do,
// and that is interrupted again and again, which ends such a wait.
//
// Threads are begun when they are needed and are a few at most.
class SocketCloser {
 public:
  // Descriptors that may be on their way at a time. The owner takes no more clients meanwhile.
  static constexpr std::size_t kPendingMax = 64;

  SocketCloser();
  // Waits a moment for what is under way; what takes longer is left to the end of the process,
  // where the kernel waits for no peer.
  ~SocketCloser();
  SocketCloser(const SocketCloser&) = delete;
  SocketCloser& operator=(const SocketCloser&) = delete;

  // Takes over `socket`. Never blocks.
  void close(int socket);
  // Not closed yet.
  std::size_t pending() const;
  bool is_full() const { return pending() >= kPendingMax; }

 private:
  struct Shared;

  const std::shared_ptr<Shared> shared_;  // with the threads, which may outlive this object
};

}  // namespace rota
