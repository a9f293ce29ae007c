#include "rotator/timer_descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace rota {

Result<std::unique_ptr<TimerDescriptor>> TimerDescriptor::create(
    const boost::asio::any_io_executor& executor, clockid_t clock,
    std::function<void(int error)> woke) {
  const int fd = ::timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return fail(ErrorKind::kIo, std::string("timerfd_create: ") + std::strerror(errno));
  auto timer = std::unique_ptr<TimerDescriptor>(new TimerDescriptor(executor, fd, std::move(woke)));
  timer->wait();
  return timer;
}

TimerDescriptor::TimerDescriptor(const boost::asio::any_io_executor& executor, int fd,
                                 std::function<void(int error)> woke)
    : descriptor_(executor, fd), woke_(std::move(woke)) {}

TimerDescriptor::~TimerDescriptor() { *alive_ = false; }

int TimerDescriptor::set(int flags, const itimerspec& spec) {
  return ::timerfd_settime(descriptor_.native_handle(), flags, &spec, nullptr) == 0 ? 0 : errno;
}

void TimerDescriptor::wait() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this, alive = alive_](const boost::system::error_code& error) {
                           if (error || !*alive) return;  // this object is gone
                           std::uint64_t expirations = 0;
                           const auto got = ::read(descriptor_.native_handle(), &expirations,
                                                   sizeof expirations);
                           const int said = got < 0 ? errno : 0;
                           wait();
                           woke_(said);
                         });
}

}  // namespace rota
