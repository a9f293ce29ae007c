#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <span>

#include <sys/epoll.h>

namespace rota {

// Told what a descriptor is ready for.
class EventWatcher {
 public:
  virtual ~EventWatcher() = default;
  // `events` as epoll(7) has them. May remove any watcher of the set, itself included.
  virtual void on_events(std::uint32_t events) = 0;
};

// The readiness of many sockets, brought to the loop through one descriptor. Asio makes a system
// call and an operation object for each wait on a socket of its own; here a socket that is read
// again and again costs neither. One round of the loop takes as many of the ready ones as a Turn
// has room for, so that no set keeps another waiting for longer. A set may be one of the ready ones
// of another, and then has its turns among those. Loop thread only.
class EventSet : private EventWatcher {
 public:
  // None, with errno: the system has no descriptor left.
  static std::unique_ptr<EventSet> create(boost::asio::io_context& loop);
  // Within `parent`, which must outlive it.
  static std::unique_ptr<EventSet> create(EventSet& parent);
  ~EventSet() override;
  EventSet(const EventSet&) = delete;
  EventSet& operator=(const EventSet&) = delete;

  // `events` of EPOLLIN and EPOLLOUT, level-triggered; a hang-up or an error is always told. False:
  // the system refuses. The watcher must stay until remove(), which comes before the descriptor
  // closes.
  bool add(int fd, EventWatcher& watcher, std::uint32_t events);
  void change(int fd, EventWatcher& watcher, std::uint32_t events);
  void remove(int fd, EventWatcher& watcher);

 private:
  EventSet(boost::asio::io_context& loop, EventSet* parent, int fd);
  void on_events(std::uint32_t events) override;
  void wait();
  void dispatch();

  static constexpr int kBatch = 64;

  boost::asio::io_context& loop_;
  EventSet* parent_;
  const int fd_;                                 // readable while one of the sockets is ready
  boost::asio::posix::stream_descriptor ready_;  // waits on fd_ where there is no parent
  std::array<epoll_event, kBatch> batch_{};
  std::span<epoll_event> rest_;  // of the batch: to be dispatched next
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // false after destruction
};

}  // namespace rota
