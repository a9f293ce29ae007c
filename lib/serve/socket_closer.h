#pragma once

#include <cstddef>
#include <memory>

namespace rota {

// Closes sockets whose queue may hold descriptors that a client has put there. We may be the last
// to close such a descriptor, and that takes as long as the client has arranged: a TCP socket with
// SO_LINGER waits for its peer. Here a thread that has nothing else to do takes that time. It is
// interrupted again and again, which ends such a wait.
//
// Threads are started when they are needed, and there are at most four. Any thread may call the
// methods.
class SocketCloser {
 public:
  // How many sockets may wait to be closed before is_full(). Then the owner accepts no more
  // clients. close() itself has no limit.
  static constexpr std::size_t kPendingMax = 64;

  SocketCloser();
  // Waits half a second for closes that are under way. Those that take longer are left to the end
  // of the process, when the kernel waits for no peer.
  ~SocketCloser();
  SocketCloser(const SocketCloser&) = delete;
  SocketCloser& operator=(const SocketCloser&) = delete;

  // Takes over `socket`. Never blocks.
  void close(int socket);
  // How many are not closed yet.
  std::size_t pending() const;
  // Also starts the thread that an earlier close() could not start.
  bool is_full();

 private:
  struct Shared;

  const std::shared_ptr<Shared> shared_;  // shared with the threads, which may outlive this object
};

}  // namespace rota
