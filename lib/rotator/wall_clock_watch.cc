#include "rotator/wall_clock_watch.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace rota {

Result<std::unique_ptr<WallClockWatch>> WallClockWatch::create(
    const boost::asio::any_io_executor& executor, std::function<void()> was_set) {
  const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return fail(ErrorKind::kIo, std::string("timerfd_create: ") + std::strerror(errno));
  auto watch =
      std::unique_ptr<WallClockWatch>(new WallClockWatch(executor, fd, std::move(was_set)));
  ROTA_TRY(watch->arm());
  watch->wait();
  return watch;
}

WallClockWatch::WallClockWatch(const boost::asio::any_io_executor& executor, int fd,
                               std::function<void()> was_set)
    : descriptor_(executor, fd), was_set_(std::move(was_set)) {}

void WallClockWatch::cancel() {
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
  was_set_ = nullptr;
}

// Never meant to expire: 2262 is as far as the kernel counts.
Result<void> WallClockWatch::arm() {
  itimerspec spec{};
  spec.it_value.tv_sec = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  if (::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
                        &spec, nullptr) != 0 &&
      errno != ECANCELED) {  // set again meanwhile: it is armed all the same
    return fail(ErrorKind::kIo, std::string("timerfd_settime: ") + std::strerror(errno));
  }
  return {};
}

void WallClockWatch::wait() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error) return;  // cancelled: this object is going away
                           std::uint64_t count = 0;
                           const auto got =
                               ::read(descriptor_.native_handle(), &count, sizeof count);
                           const bool set = got < 0 && errno == ECANCELED;
                           // Without a timer there is no more to hear of; Circle's time stands on
                           // the boot clock anyway.
                           if (arm()) wait();
                           if (set && was_set_) was_set_();
                         });
}

}  // namespace rota
