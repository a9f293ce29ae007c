#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "rotator/timer_descriptor.h"

namespace rota {

// A timer on CLOCK_BOOTTIME, which goes on through a suspend (Asio's own timers do not, and tokens
// expire all the same). Loop thread only.
class BootTimer {
 public:
  // kIo when the kernel gives no timer.
  static Result<std::unique_ptr<BootTimer>> create(const boost::asio::any_io_executor& executor);

  // Calls `fired` on the loop at or after `when`; replaces what was set before. None: never.
  void set(std::optional<BootTime> when);
  // Once the timer is gone, `fired` is not called.
  void on_fire(std::function<void()> fired) { fired_ = std::move(fired); }

 private:
  BootTimer() = default;
  void on_wake(int error);

  std::function<void()> fired_;
  std::optional<BootTime> set_for_;
  std::unique_ptr<TimerDescriptor> timer_;
};

}  // namespace rota
