#include "plan/budget.h"

#include <algorithm>

#include "base/check.h"

namespace rota {

Budget::Budget(std::size_t calls_per_window, Duration window) : window_(window) {
  const std::size_t reserve = std::max<std::size_t>(1, calls_per_window / 10);
  ROTA_CHECK(calls_per_window > reserve && window_ > Duration{0});
  all_.limit = calls_per_window;
  background_.limit = calls_per_window - reserve;
}

void Budget::restore(BootTime completed_at) {
  all_.restore(completed_at);
  background_.restore(completed_at);
}

bool Budget::may_send(Lane lane, BootTime now) {
  drop_old(now);
  return now >= paused_until_ && all_.used() < all_.limit &&
         (!is_background(lane) || background_.used() < background_.limit);
}

std::optional<BootTime> Budget::next_slot(Lane lane, BootTime now) {
  drop_old(now);
  auto slot = all_.next(now, window_);
  if (slot && is_background(lane)) {
    const auto own = background_.next(now, window_);
    slot = own ? std::optional(std::max(*slot, *own)) : std::nullopt;
  }
  return slot ? std::optional(std::max(*slot, paused_until_)) : std::nullopt;
}

void Budget::sent(Lane lane) {
  ++all_.in_flight;
  if (is_background(lane)) ++background_.in_flight;
}

void Budget::completed(Lane lane, BootTime now) {
  all_.complete(now);
  if (is_background(lane)) background_.complete(now);
}

void Budget::never_sent(Lane lane) {
  all_.give_back();
  if (is_background(lane)) background_.give_back();
}

void Budget::pause(BootTime until) { paused_until_ = std::max(paused_until_, until); }

std::optional<BootTime> Budget::paused_until(BootTime now) const {
  if (now >= paused_until_) return std::nullopt;
  return paused_until_;
}

std::size_t Budget::used(BootTime now) {
  drop_old(now);
  return all_.used();
}

void Budget::drop_old(BootTime now) {
  all_.drop_old(now, window_);
  background_.drop_old(now, window_);
}

void Budget::Slots::restore(BootTime completed_at) {
  completed.insert(std::ranges::upper_bound(completed, completed_at), completed_at);
}

void Budget::Slots::complete(BootTime now) {
  give_back();
  completed.push_back(now);
}

void Budget::Slots::give_back() {
  ROTA_CHECK(in_flight > 0);
  --in_flight;
}

void Budget::Slots::drop_old(BootTime now, Duration window) {
  while (!completed.empty() && completed.front() + window < now) completed.pop_front();
}

std::optional<BootTime> Budget::Slots::next(BootTime now, Duration window) const {
  if (used() < limit) return now;
  const std::size_t must_go = used() - limit + 1;
  if (must_go > completed.size()) return std::nullopt;
  return completed[must_go - 1] + window + Duration{1};
}

}  // namespace rota
