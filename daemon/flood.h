#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/time.h"

namespace rota {

// Keeps the log short when one thing happens again and again, as somebody else may make it: the
// first is said at once, the others are counted, and their count is said once a minute for as long
// as more come. Loop thread only.
class Flood {
 public:
  static constexpr Duration kLineEvery = std::chrono::minutes{1};

  // One more. True: it is the first, say it now; false: it is counted.
  bool begins(BootTime now) {
    if (last_line_) {
      ++unsaid_;
      return false;
    }
    last_line_ = now;
    return true;
  }

  // Ask now and then. How many came since the last line, once that is a minute old; after a minute
  // without any the flood is over, and the next one is a first again.
  std::optional<std::size_t> summary(BootTime now) {
    if (!last_line_ || now - *last_line_ < kLineEvery) return std::nullopt;
    if (unsaid_ == 0) {
      last_line_.reset();
      return std::nullopt;
    }
    last_line_ = now;
    return std::exchange(unsaid_, 0);
  }

  // What is left to be said at the end; 0: nothing.
  std::size_t unsaid() const { return unsaid_; }

 private:
  std::optional<BootTime> last_line_;  // while a flood lasts
  std::size_t unsaid_ = 0;
};

}  // namespace rota
