#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "base/result.h"
#include "rotator/timer_descriptor.h"

namespace rota {

// Tells when somebody sets this machine's wall clock: the kernel then cancels a timer of ours
// (TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)). Loop thread only.
class WallClockWatch {
 public:
  // kIo if the kernel gives no timer. `was_set` is called on the loop, and not once the watch is
  // destroyed.
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
