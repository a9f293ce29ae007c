#include "plan/circle_clock.h"

#include <algorithm>

namespace rota {

CircleClock::CircleClock(Now start, std::optional<WallTime> last_on_record, Duration skew_on_record) {
  const WallTime circle = start.wall + skew_on_record;
  offset_ = std::max(circle, last_on_record.value_or(circle)).time_since_epoch() -
            start.boot.time_since_epoch();
}

bool CircleClock::observe(WallTime date, BootTime received) {
  samples_[next_] = date.time_since_epoch() + Duration{500} - received.time_since_epoch();
  next_ = (next_ + 1) % kSamples;
  count_ = std::min(count_ + 1, kSamples);

  auto sorted = samples_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count_ / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count_));
  const Duration delay = *middle - offset_;  // of our idea of Circle's clock
  if (delay <= kToleratedDelay && -delay <= kToleratedLead) return false;
  offset_ = *middle;
  return true;
}

}  // namespace rota
