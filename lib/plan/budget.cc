#include "plan/budget.h"

#include <algorithm>

#include "base/check.h"

namespace rota {

Budget::Budget(std::size_t calls_per_window, Duration window)
    : limit_(calls_per_window),
      reserve_(std::max<std::size_t>(1, calls_per_window / 10)),
      window_(window) {
  ROTA_CHECK(limit_ > reserve_ && window_ > Duration{0});
}

void Budget::restore(BootTime completed_at) {
  completed_.insert(std::ranges::upper_bound(completed_, completed_at), completed_at);
}

bool Budget::may_send(Lane lane, BootTime now) {
  drop_old(now);
  return now >= paused_until_ && in_flight_ + completed_.size() < limit_for(lane);
}

std::optional<BootTime> Budget::next_slot(Lane lane, BootTime now) {
  drop_old(now);
  const std::size_t used = in_flight_ + completed_.size();
  if (used < limit_for(lane)) return std::max(now, paused_until_);
  const std::size_t must_go = used - limit_for(lane) + 1;
  if (must_go > completed_.size()) return std::nullopt;
  return std::max(completed_[must_go - 1] + window_ + Duration{1}, paused_until_);
}

void Budget::sent() { ++in_flight_; }

void Budget::completed(BootTime now) {
  ROTA_CHECK(in_flight_ > 0);
  --in_flight_;
  completed_.push_back(now);
}

void Budget::never_sent() {
  ROTA_CHECK(in_flight_ > 0);
  --in_flight_;
}

void Budget::pause(BootTime until) { paused_until_ = std::max(paused_until_, until); }

std::optional<BootTime> Budget::paused_until(BootTime now) const {
  if (now >= paused_until_) return std::nullopt;
  return paused_until_;
}

std::size_t Budget::used(BootTime now) {
  drop_old(now);
  return in_flight_ + completed_.size();
}

std::size_t Budget::limit_for(Lane lane) const {
  return is_background(lane) ? limit_ - reserve_ : limit_;
}

void Budget::drop_old(BootTime now) {
  while (!completed_.empty() && completed_.front() + window_ < now) completed_.pop_front();
}

}  // namespace rota
