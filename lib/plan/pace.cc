#include "plan/pace.h"

#include <algorithm>

#include "base/check.h"

namespace rota {

namespace {

Duration gap_of(std::size_t calls, Duration window) {
  ROTA_CHECK(calls > 0);
  return window / static_cast<Duration::rep>(calls);
}

}  // namespace

Pace::Pace(std::size_t calls, Duration window)
    : gap_(gap_of(calls, window)),
      slack_(gap_ * static_cast<Duration::rep>(std::max(kBurstMin, calls / kBurstShare) - 1)),
      spent_until_(BootTime{} - window),
      held_(spent_until_) {}

void Pace::sent(BootTime now) { spent_until_ = std::max(spent_until_, now) + gap_; }

void Pace::never_sent() { spent_until_ = std::max(held_, spent_until_ - gap_); }

void Pace::hold(BootTime until) {
  held_ = std::max(held_, until + slack_);
  spent_until_ = std::max(spent_until_, held_);
}

}  // namespace rota
