#pragma once

#include <sys/timerfd.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "base/result.h"

namespace rota {

// A timer of the kernel's (timerfd_create(2)) that the loop waits on for as long as this object
// lives. Loop thread only.
class TimerDescriptor {
 public:
  // kIo when the kernel gives no timer. `woke` is called on the loop each time the timer wakes it,
  // with what read(2) says of that: 0 when the timer expired, its errno otherwise.
  static Result<std::unique_ptr<TimerDescriptor>> create(
      const boost::asio::any_io_executor& executor, clockid_t clock,
      std::function<void(int error)> woke);
  // After this `woke` is not called, not even for what the loop has noticed already.
  ~TimerDescriptor();
  TimerDescriptor(const TimerDescriptor&) = delete;
  TimerDescriptor& operator=(const TimerDescriptor&) = delete;

  // As timerfd_settime(2) with its flags: 0, or its errno.
  int set(int flags, const itimerspec& spec);
  int native_handle() { return descriptor_.native_handle(); }

 private:
  TimerDescriptor(const boost::asio::any_io_executor& executor, int fd,
                  std::function<void(int error)> woke);
  void wait();

  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void(int error)> woke_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rota
