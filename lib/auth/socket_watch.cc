#include "auth/socket_watch.h"

#include <utility>

namespace rota {

namespace asio = boost::asio;

SocketWatch::SocketWatch(const asio::any_io_executor& executor, int socket, Ready ready)
    : socket_(executor, socket), ready_(std::move(ready)) {}

void SocketWatch::want(bool read, bool write) {
  read_.wanted = read;
  write_.wanted = write;
  wait(read_);
  wait(write_);
}

void SocketWatch::stop() {
  read_.wanted = false;
  write_.wanted = false;
  if (socket_.is_open()) socket_.release();
}

void SocketWatch::wait(Direction& direction) {
  if (!direction.wanted || direction.waiting) return;
  direction.waiting = true;
  socket_.async_wait(direction.type,
                     [weak = weak_from_this(), &direction](const boost::system::error_code&) {
                       // A failed wait counts as a ready socket: its owner finds out what is wrong.
                       if (const auto self = weak.lock()) self->on_ready(direction);
                     });
}

void SocketWatch::on_ready(Direction& direction) {
  direction.waiting = false;
  if (!direction.wanted) return;
  ready_(&direction == &read_, &direction == &write_);
  wait(direction);
}

}  // namespace rota
