#include "plan/circle_clock.h"

#include <algorithm>
#include <functional>

namespace rota {
namespace {

constexpr Duration kDateResolution{1'000};

// The second of `count` bounds in the order of `tighter`, or the only one.
template <class Order>
Duration confirmed_bound(std::array<Duration, CircleClock::kSamples> bounds, std::size_t count,
                         Order tighter) {
  const auto end = bounds.begin() + static_cast<std::ptrdiff_t>(count);
  const auto second = bounds.begin() + (count > 1 ? 1 : 0);
  std::nth_element(bounds.begin(), second, end, tighter);
  return *second;
}

}  // namespace

CircleClock::CircleClock(Now start, std::optional<WallTime> last_on_record, Duration skew_on_record,
                         std::optional<Duration> offset_on_record)
    : last_on_record_(last_on_record), skew_on_record_(skew_on_record) {
  start_from(start);
  if (!offset_on_record) return;
  offset_ = *offset_on_record;
  add_bounds(offset_ - kDateResolution, offset_ + kDateResolution);
}

void CircleClock::add_bounds(Duration low, Duration high) {
  low_[next_] = low;
  high_[next_] = high;
  next_ = (next_ + 1) % kSamples;
  count_ = std::min(count_ + 1, kSamples);
}

void CircleClock::start_from(Now now) {
  const WallTime circle = now.wall + skew_on_record_;
  offset_ = std::max(circle, last_on_record_.value_or(circle)).time_since_epoch() -
            now.boot.time_since_epoch();
}

bool CircleClock::on_wall_step(Now now) {
  if (confirmed()) return false;
  const Duration before = offset_;
  start_from(now);
  return offset_ != before;
}

bool CircleClock::observe(WallTime date, BootTime sent, BootTime received) {
  add_bounds(date.time_since_epoch() - received.time_since_epoch(),
             date.time_since_epoch() + kDateResolution - sent.time_since_epoch());

  const Duration low = confirmed_bound(low_, count_, std::greater<>{});
  const Duration high = std::max(low, confirmed_bound(high_, count_, std::less<>{}));
  const Duration before = offset_;
  if (offset_ < low || offset_ > high) offset_ = low + (high - low) / 2;
  return offset_ != before;
}

}  // namespace rota
