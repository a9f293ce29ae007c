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

// A timer on CLOCK_BOOTTIME, which goes on while the machine is suspended, as tokens' lives do.
// Asio's own timers do not. Loop thread only.
class BootTimer {
 public:
  // kIo if the kernel gives no timer.
  static Result<std::unique_ptr<BootTimer>> create(const boost::asio::any_io_executor& executor);

  // Calls `fired` on the loop, once, at or after `when`, in place of the time that was set before.
  // Nullopt: never.
  void set(std::optional<BootTime> when);
  // Sets the function to call. It is not called once the timer is destroyed.
  void on_fire(std::function<void()> fired) { fired_ = std::move(fired); }

 private:
  BootTimer() = default;
  void on_wake(int error);

  std::function<void()> fired_;
  std::optional<BootTime> set_for_;
  std::unique_ptr<TimerDescriptor> timer_;
};

}  // namespace rota
