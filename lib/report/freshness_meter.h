#pragma once

#include <cstddef>
#include <optional>

#include "base/time.h"

namespace rota {

// Adds up for how long members were kept fresh, and for how long they had no live token in time, so
// that a monitor can tell the share for any span. It takes each reading for what was so since the
// one before. Pure; for one thread.
class FreshnessMeter {
 public:
  struct Totals {
    double kept_seconds = 0;     // of all members that are to be kept fresh, together
    double overdue_seconds = 0;  // of these, without a live token in time
  };

  void read(std::size_t kept, std::size_t overdue, BootTime now) {
    if (last_) {
      const double passed = std::chrono::duration<double>(now - *last_).count();
      totals_.kept_seconds += passed * static_cast<double>(kept);
      totals_.overdue_seconds += passed * static_cast<double>(overdue);
    }
    last_ = now;
  }
  const Totals& totals() const { return totals_; }

 private:
  std::optional<BootTime> last_;
  Totals totals_;
};

}  // namespace rota
