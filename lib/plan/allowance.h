#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "base/time.h"

namespace rota {

// Lets so many of something happen within any window, wherever that begins. Times are on the boot
// clock, which no clock step moves, and are given in order. Pure.
class Allowance {
 public:
  // Aborts unless `window` is positive. A limit of 0 lets nothing happen.
  Allowance(std::size_t limit, Duration window);

  // Whether `count` more may happen now.
  bool has(std::size_t count, BootTime now);
  // Counts one that happens now, also if has() is false.
  void take(BootTime now) { taken_.push_back(now); }
  // Takes back the last take().
  void give_back() { taken_.pop_back(); }
  // When one more may happen, `now` or later; none: never, since the limit is 0.
  std::optional<BootTime> next(BootTime now);
  std::size_t taken(BootTime now);

 private:
  void drop_old(BootTime now);

  const std::size_t limit_;
  const Duration window_;
  std::deque<BootTime> taken_;  // within the last window
};

}  // namespace rota
