#pragma once

#include <sys/timerfd.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "base/result.h"

namespace rota {

// A timer of the kernel (timerfd_create(2)). The loop waits on it as long as this object lives.
// Loop thread only.
class TimerDescriptor {
 public:
  // kIo if the kernel gives no timer. `woke` is called on the loop each time the timer wakes it,
  // with the result of read(2): 0 if the timer expired, otherwise the errno.
  static Result<std::unique_ptr<TimerDescriptor>> create(
      const boost::asio::any_io_executor& executor, clockid_t clock,
      std::function<void(int error)> woke);
  // `woke` is not called after this, not even if the loop has noticed the timer already. Not from
  // inside `woke`.
  ~TimerDescriptor();
  TimerDescriptor(const TimerDescriptor&) = delete;
  TimerDescriptor& operator=(const TimerDescriptor&) = delete;

  // timerfd_settime(2) with these flags. Returns 0 or the errno.
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
