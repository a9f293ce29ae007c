#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "base/result.h"
#include "rotator/timer_descriptor.h"

namespace rota {

// Tells when this machine's wall clock was set, by a timer that the kernel cancels then
// (TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)). Loop thread only.
class WallClockWatch {
 public:
  // kIo when the kernel gives no timer. Once the watch is gone, `was_set` is not called.
  static Result<std::unique_ptr<WallClockWatch>> create(
      const boost::asio::any_io_executor& executor, std::function<void()> was_set);

  int native_handle() { return timer_->native_handle(); }

 private:
  explicit WallClockWatch(std::function<void()> was_set);
  Result<void> arm();
  void on_wake(int error);

  std::function<void()> was_set_;
  std::unique_ptr<TimerDescriptor> timer_;
};

}  // namespace rota
