#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

namespace rota {

// Is told what may have happened to a socket.
class SocketWatcher {
 public:
  virtual ~SocketWatcher() = default;
  // There may be something to read: bytes, the end of the stream, or an error. Both methods are
  // called in the middle of the loop's bookkeeping: they only take note, and the watcher acts
  // later.
  virtual void input_may_be_there() noexcept = 0;
  // There may be room to send, or an error.
  virtual void room_may_be_there() noexcept = 0;
};

// Keeps one socket in the loop's own epoll set as long as this object lives. It would be simpler to
// serve a set of our own, inside that one, in turns. But the kernel adds to nested sets under one
// mutex for the whole machine, and any local user can keep that mutex busy.
//
// Events are edge-triggered: after one, the watcher reads until nothing is left. The next event
// needs neither a system call nor an allocation. Loop thread only.
class SocketEvents {
 public:
  // Null, with errno set, if the system refuses. `watcher` and `loop` must outlive the object. Do
  // not close the socket before the object is destroyed.
  static std::unique_ptr<SocketEvents> create(boost::asio::io_context& loop, int socket,
                                              SocketWatcher& watcher);
  ~SocketEvents();
  SocketEvents(const SocketEvents&) = delete;
  SocketEvents& operator=(const SocketEvents&) = delete;

  // From now on, room to send is reported too. May be called again.
  void tell_of_room();

 private:
  struct State;
  explicit SocketEvents(std::unique_ptr<State> state);

  const std::unique_ptr<State> state_;
};

}  // namespace rota
