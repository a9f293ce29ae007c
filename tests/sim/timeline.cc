#include "sim/timeline.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rota::sim {
namespace {

constexpr auto kLater = [](const auto& a, const auto& b) {
  return std::tuple(a.due, a.wanted, a.number) > std::tuple(b.due, b.wanted, b.number);
};

}  // namespace

void Timeline::add(Duration delay, bool of_machine, Action action) {
  const Duration due = now_ + std::max(delay, Duration{0});
  push({.due = due,
        .wanted = due,
        .number = next_number_++,
        .of_machine = of_machine,
        .action = std::move(action)});
}

void Timeline::push(Event event) {
  events_.push_back(std::move(event));
  std::ranges::push_heap(events_, kLater);
}

void Timeline::suspend(Duration length) { awake_at_ = std::max(awake_at_, now_ + length); }

void Timeline::stand_still(Duration length) {
  for (Event& event : events_) {
    if (!event.of_machine) continue;
    event.due += length;
    event.wanted += length;
  }
  std::ranges::make_heap(events_, kLater);
  suspend(length);
}

std::optional<Duration> Timeline::next() const {
  if (events_.empty()) return std::nullopt;
  return events_.front().due;
}

bool Timeline::step(Duration end) {
  while (!events_.empty() && events_.front().due <= end) {
    std::ranges::pop_heap(events_, kLater);
    Event next = std::move(events_.back());
    events_.pop_back();
    now_ = next.due;
    if (next.of_machine && suspended()) {
      next.due = awake_at_;
      push(std::move(next));
      continue;
    }
    next.action();
    return true;
  }
  now_ = std::max(now_, end);
  return false;
}

}  // namespace rota::sim
