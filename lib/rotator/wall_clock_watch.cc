#include "rotator/wall_clock_watch.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace rota {

Result<std::unique_ptr<WallClockWatch>> WallClockWatch::create(
    const boost::asio::any_io_executor& executor, std::function<void()> was_set) {
  auto watch = std::unique_ptr<WallClockWatch>(new WallClockWatch(std::move(was_set)));
  ROTA_ASSIGN(watch->timer_,
              TimerDescriptor::create(executor, CLOCK_REALTIME,
                                      [at = watch.get()](int e) { at->on_wake(e); }));
  ROTA_TRY(watch->arm());
  return watch;
}

WallClockWatch::WallClockWatch(std::function<void()> was_set) : was_set_(std::move(was_set)) {}

// This timer should never expire: the kernel counts until 2262.
Result<void> WallClockWatch::arm() {
  itimerspec spec{};
  spec.it_value.tv_sec = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  const int error = timer_->set(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, spec);
  // ECANCELED: the clock was set again meanwhile, but the timer is armed.
  if (error != 0 && error != ECANCELED) {
    return fail(ErrorKind::kIo, std::string("timerfd_settime: ") + std::strerror(error));
  }
  return {};
}

void WallClockWatch::on_wake(int error) {
  // If this fails, we hear of no further change. Circle's time is on the boot clock anyway.
  (void)arm();
  if (error == ECANCELED) was_set_();
}

}  // namespace rota
