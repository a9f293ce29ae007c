#pragma once

#include <sys/signalfd.h>

#include <csignal>
#include <functional>
#include <initializer_list>

#include "base/descriptor.h"
#include "base/result.h"

namespace rota::cli {

// Signals as something to be read. They are blocked from create() on, so a child process must
// unblock them.
class Signals {
 public:
  // kIo: the kernel refused.
  static Result<Signals> create(std::initializer_list<int> numbers);

  int fd() const { return fd_.get(); }
  // Hands over what has come. Does not block.
  void each(const std::function<void(const signalfd_siginfo&)>& take) const;
  // The mask of the process before create().
  const sigset_t& before() const { return before_; }

 private:
  Signals() = default;

  Descriptor fd_;
  sigset_t before_{};
};

// Waits for each child process that has ended (or, with `stopped`, was stopped), without blocking.
void each_child(bool stopped, const std::function<void(pid_t child, int status)>& take);

}  // namespace rota::cli
