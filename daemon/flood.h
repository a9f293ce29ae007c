#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/time.h"

namespace rota {

// Keeps the log short if others can make one thing happen again and again. The first one is logged
// at once; the others are counted, and the count is logged once a minute as long as more come. Loop
// thread only.
class Flood {
 public:
  static constexpr Duration kLineEvery = std::chrono::minutes{1};

  // It happened once more. True: it is the first, so log it now. False: it was counted.
  bool begins(BootTime now) {
    if (last_line_) {
      ++unsaid_;
      return false;
    }
    last_line_ = now;
    return true;
  }

  // To be asked every few seconds. The count to log: how many came since the last line, if that is
  // a minute old. After a minute without any the flood is over, and the next one is the first
  // again.
  std::optional<std::size_t> summary(BootTime now) {
    if (!last_line_ || now - *last_line_ < kLineEvery) return std::nullopt;
    if (unsaid_ == 0) {
      last_line_.reset();
      return std::nullopt;
    }
    last_line_ = now;
    return std::exchange(unsaid_, 0);
  }

  // How many were counted and not logged yet.
  std::size_t unsaid() const { return unsaid_; }

 private:
  std::optional<BootTime> last_line_;  // while a flood lasts
  std::size_t unsaid_ = 0;
};

}  // namespace rota
