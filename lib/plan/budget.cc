#include "plan/budget.h"

#include <algorithm>

#include "base/check.h"

namespace rota {

namespace {

constexpr std::size_t kReserveShare = 10;

std::size_t reserve_of(std::size_t limit) {
  return std::max<std::size_t>(1, limit / kReserveShare);
}

}  // namespace

Budget::Budget(std::size_t calls_per_window, Duration window)
    : window_(window), pace_(calls_per_window - reserve_of(calls_per_window), window) {
  const std::size_t reserve = reserve_of(calls_per_window);
  ROTA_CHECK(calls_per_window > reserve && window_ > Duration{0});
  all_.limit = calls_per_window;
  unasked_.limit = calls_per_window - std::max<std::size_t>(1, reserve / 2);
  background_.limit = calls_per_window - reserve;
}

template <class Use>
void Budget::for_each_count(Lane lane, Use use) {
  use(all_);
  if (!traits_of(lane).client_waits) use(unasked_);
  if (traits_of(lane).is_background) use(background_);
}

void Budget::restore(BootTime completed_at) {
  for_each_count(Lane::kRefresh, [=](Slots& slots) { slots.restore(completed_at); });
  pace_.sent(completed_at);
}

bool Budget::may_send(Lane lane, BootTime now) {
  const auto slot = next_slot(lane, now);
  return slot && *slot <= now;
}

std::optional<BootTime> Budget::next_slot(Lane lane, BootTime now) {
  drop_old(now);
  if (one_at_a_time_ && all_.in_flight > 0) return std::nullopt;
  std::optional<BootTime> slot = std::max(now, paused_until_);
  for_each_count(lane, [&](const Slots& slots) {
    const auto own = slots.next(now, window_);
    slot = slot && own ? std::optional(std::max(*slot, *own)) : std::nullopt;
  });
  if (!traits_of(lane).is_background) return slot;
  // Calls that the window holds back now must not come in one burst later.
  if (!slot || *slot > now) pace_.hold(now);
  return slot ? std::optional(std::max(*slot, pace_.next())) : std::nullopt;
}

void Budget::sent(Lane lane, BootTime now) {
  for_each_count(lane, [](Slots& slots) { ++slots.in_flight; });
  if (traits_of(lane).is_background) pace_.sent(now);
}

void Budget::completed(Lane lane, BootTime now) {
  for_each_count(lane, [=](Slots& slots) { slots.complete(now); });
}

void Budget::never_sent(Lane lane) {
  for_each_count(lane, [](Slots& slots) { slots.give_back(); });
  if (traits_of(lane).is_background) pace_.never_sent();
}

void Budget::pause(BootTime until) {
  paused_until_ = std::max(paused_until_, until);
  one_at_a_time_ = true;
  pace_.hold(until);
}

void Budget::answered(BootTime sent_at) {
  if (sent_at >= paused_until_) one_at_a_time_ = false;
}

std::optional<BootTime> Budget::paused_until(BootTime now) const {
  if (now >= paused_until_) return std::nullopt;
  return paused_until_;
}

std::vector<BootTime> Budget::ended(BootTime now) {
  drop_old(now);
  return {all_.completed.begin(), all_.completed.end()};
}

std::size_t Budget::used(BootTime now) {
  drop_old(now);
  return all_.used();
}

void Budget::drop_old(BootTime now) {
  for (Slots* slots : {&all_, &unasked_, &background_}) slots->drop_old(now, window_);
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
