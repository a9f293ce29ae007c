#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

namespace rota {

// Tells when a socket that somebody else owns is ready. Make it with std::make_shared, and stop it
// before the owner closes the socket, since the number may then name another socket at once. Loop
// thread only.
class SocketWatch : public std::enable_shared_from_this<SocketWatch> {
 public:
  // Called on the loop with what the socket is ready for. It may call want() or stop().
  using Ready = std::function<void(bool readable, bool writable)>;

  // Waits for nothing until want().
  SocketWatch(const boost::asio::any_io_executor& executor, int socket, Ready ready);
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;
  ~SocketWatch() { stop(); }

  // What to wait for from now on. Level-triggered: a socket that stays ready is reported again.
  void want(bool read, bool write);
  // Ends the watch and leaves the socket open. `ready` is not called any more.
  void stop();

 private:
  struct Direction {
    boost::asio::posix::descriptor_base::wait_type type;
    bool wanted = false;
    bool waiting = false;
  };
  void wait(Direction& direction);
  void on_ready(Direction& direction);

  boost::asio::posix::stream_descriptor socket_;
  Ready ready_;
  Direction read_{boost::asio::posix::descriptor_base::wait_read};
  Direction write_{boost::asio::posix::descriptor_base::wait_write};
};

}  // namespace rota
