#include "rotator/boot_timer.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"

namespace rota {

Result<std::unique_ptr<BootTimer>> BootTimer::create(const boost::asio::any_io_executor& executor) {
  auto timer = std::unique_ptr<BootTimer>(new BootTimer);
  ROTA_ASSIGN(timer->timer_,
              TimerDescriptor::create(executor, CLOCK_BOOTTIME,
                                      [at = timer.get()](int e) { at->on_wake(e); }));
  return timer;
}

void BootTimer::set(std::optional<BootTime> when) {
  if (when == set_for_) return;
  set_for_ = when;
  itimerspec spec{};
  if (when) {
    // Zero would disarm the timer.
    const auto since_boot = std::max(when->time_since_epoch(), Duration{1});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
    spec.it_value.tv_sec = seconds.count();
    spec.it_value.tv_nsec = std::chrono::nanoseconds(since_boot - seconds).count();
  }
  ROTA_CHECK(timer_->set(TFD_TIMER_ABSTIME, spec) == 0);
}

void BootTimer::on_wake(int error) {
  if (error != 0) return;  // it was set to another time meanwhile
  set_for_.reset();
  if (fired_) fired_();
}

}  // namespace rota
