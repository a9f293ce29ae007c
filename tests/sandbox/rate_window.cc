#include "sandbox/rate_window.h"

#include <algorithm>

namespace rota::sandbox {

void RateWindow::forget_old(BootTime now) {
  while (!calls_.empty() && now - calls_.front() >= window_) calls_.pop_front();
}

bool RateWindow::admit(BootTime now, std::size_t limit) {
  forget_old(now);
  calls_.push_back(now);
  peak_ = std::max(peak_, calls_.size());
  return limit == 0 || calls_.size() <= limit;
}

Duration RateWindow::wait(BootTime now, std::size_t limit) const {
  if (limit == 0 || calls_.size() < limit) return Duration{0};
  const BootTime leaves = calls_[calls_.size() - limit] + window_;
  return std::max(Duration{0}, leaves - now);
}

std::size_t RateWindow::count(BootTime now) {
  forget_old(now);
  return calls_.size();
}

}  // namespace rota::sandbox
