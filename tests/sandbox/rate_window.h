#pragma once

#include <cstddef>
#include <deque>

#include "base/time.h"

namespace rota::sandbox {

// Counts calls in a sliding window. Two calls exactly one window apart do not share one. Refused
// calls count like all others: who keeps knocking stays out.
class RateWindow {
 public:
  explicit RateWindow(Duration window) : window_(window) {}

  // Counts a call; true when no more than `limit` calls, this one included, are in the window.
  // A limit of 0 lets all pass.
  bool admit(BootTime now, std::size_t limit);
  // How long until a call would be admitted if none came before it.
  Duration wait(BootTime now, std::size_t limit) const;

  Duration window() const { return window_; }
  std::size_t count(BootTime now);
  // The most calls that any window has seen.
  std::size_t peak() const { return peak_; }

 private:
  void forget_old(BootTime now);

  const Duration window_;
  std::deque<BootTime> calls_;
  std::size_t peak_ = 0;
};

}  // namespace rota::sandbox
