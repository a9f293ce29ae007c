#include "rotator/boot_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/check.h"

namespace rota {

Result<std::unique_ptr<BootTimer>> BootTimer::create(const boost::asio::any_io_executor& executor) {
  const int fd = ::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return fail(ErrorKind::kIo, std::string("timerfd_create: ") + std::strerror(errno));
  auto timer = std::unique_ptr<BootTimer>(new BootTimer(executor, fd));
  timer->wait();
  return timer;
}

BootTimer::BootTimer(const boost::asio::any_io_executor& executor, int fd)
    : descriptor_(executor, fd) {}

void BootTimer::set(std::optional<BootTime> when) {
  if (when == set_for_) return;
  set_for_ = when;
  itimerspec spec{};
  if (when) {
    // A zero would disarm it.
    const auto since_boot = std::max(when->time_since_epoch(), Duration{1});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
    spec.it_value.tv_sec = seconds.count();
    spec.it_value.tv_nsec = std::chrono::nanoseconds(since_boot - seconds).count();
  }
  const int done =
      ::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &spec, nullptr);
  ROTA_CHECK(done == 0);
}

void BootTimer::cancel() {
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
  fired_ = nullptr;
}

void BootTimer::wait() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error) return;  // cancelled: this object is going away
                           std::uint64_t count = 0;
                           const auto got =
                               ::read(descriptor_.native_handle(), &count, sizeof count);
                           wait();
                           if (got != sizeof count) return;  // set anew meanwhile
                           set_for_.reset();
                           if (fired_) fired_();
                         });
}

}  // namespace rota
