#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "base/result.h"

namespace rota {

// Tells when this machine's wall clock was set, by a timer that the kernel cancels then
// (TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)). Loop thread only.
class WallClockWatch {
 public:
  // kIo when the kernel gives no timer.
  static Result<std::unique_ptr<WallClockWatch>> create(
      const boost::asio::any_io_executor& executor, std::function<void()> was_set);

  void cancel();
  int native_handle() { return descriptor_.native_handle(); }

 private:
  WallClockWatch(const boost::asio::any_io_executor& executor, int fd,
                 std::function<void()> was_set);
  Result<void> arm();
  void wait();

  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void()> was_set_;
};

}  // namespace rota
