#include "serve/event_set.h"

#include <cerrno>

#include "base/check.h"
#include "serve/turn.h"

namespace rota {

namespace asio = boost::asio;
using boost::system::error_code;

EventSet::EventSet(asio::io_context& loop, EventSet* parent, int fd)
    : loop_(loop), parent_(parent), fd_(fd), ready_(loop) {}

std::unique_ptr<EventSet> EventSet::create(asio::io_context& loop) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return nullptr;
  std::unique_ptr<EventSet> set(new EventSet(loop, nullptr, fd));
  error_code error;
  set->ready_.assign(fd, error);
  if (error) {
    set.reset();
    errno = error.value();
    return nullptr;
  }
  set->wait();
  return set;
}

std::unique_ptr<EventSet> EventSet::create(EventSet& parent) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return nullptr;
  std::unique_ptr<EventSet> set(new EventSet(parent.loop_, &parent, fd));
  if (parent.add(fd, *set, EPOLLIN)) return set;
  const int error = errno;
  set->parent_ = nullptr;
  set.reset();
  errno = error;
  return nullptr;
}

EventSet::~EventSet() {
  *alive_ = false;
  if (ready_.is_open()) ready_.release();
  if (parent_ != nullptr) parent_->remove(fd_, *this);
  ::close(fd_);
}

bool EventSet::add(int fd, EventWatcher& watcher, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  return ::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventSet::change(int fd, EventWatcher& watcher, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  ROTA_CHECK(::epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EventSet::remove(int fd, EventWatcher& watcher) {
  ROTA_CHECK(::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr) == 0);
  for (epoll_event& event : rest_) {
    if (event.data.ptr == &watcher) event.data.ptr = nullptr;
  }
}

void EventSet::wait() {
  ready_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [this, alive = alive_](error_code error) {
                      if (error || !*alive) return;
                      dispatch();
                      if (*alive) wait();
                    });
}

void EventSet::on_events(std::uint32_t) { dispatch(); }

void EventSet::dispatch() {
  const Turn turn;
  if (rest_.empty()) {
    const int count = ::epoll_wait(fd_, batch_.data(), kBatch, 0);
    rest_ = std::span(batch_).first(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  const auto alive = alive_;
  while (!rest_.empty()) {
    const epoll_event event = rest_.front();
    rest_ = rest_.subspan(1);
    if (event.data.ptr == nullptr) continue;
    static_cast<EventWatcher*>(event.data.ptr)->on_events(event.events);
    if (!*alive) return;
    if (turn.ended()) break;
  }
}

}  // namespace rota
