#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

namespace rota {

// Told what may have happened to a socket.
class SocketWatcher {
 public:
  virtual ~SocketWatcher() = default;
  // There may be something to read, an end of the stream or an error included. Called in the midst
  // of the loop's own bookkeeping: take a note, and act in a turn of your own.
  virtual void input_may_be_there() noexcept = 0;
  // There may be room to send, or an error.
  virtual void room_may_be_there() noexcept = 0;
};

// One socket in the loop's own epoll set, for as long as this object lives. A set of our own inside
// that one would be simpler to serve in turns. But the kernel adds to nested sets under one mutex
// for the whole machine, and any local user can keep that mutex busy.
//
// What is told is a change, not a state: whoever was told reads until nothing is left. Neither a
// system call nor an allocation is needed to be told again. Loop thread only.
class SocketEvents {
 public:
  // None, with errno: the system refuses. `watcher` and `loop` must outlive it; the socket must not
  // be closed before its end.
  static std::unique_ptr<SocketEvents> create(boost::asio::io_context& loop, int socket,
                                              SocketWatcher& watcher);
  ~SocketEvents();
  SocketEvents(const SocketEvents&) = delete;
  SocketEvents& operator=(const SocketEvents&) = delete;

  // From now on room to send is told, too. Harmless when repeated.
  void tell_of_room();

 private:
  struct State;
  explicit SocketEvents(std::unique_ptr<State> state);

  const std::unique_ptr<State> state_;
};

}  // namespace rota
