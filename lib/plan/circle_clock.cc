#include "plan/circle_clock.h"

#include <algorithm>
#include <functional>

namespace rota {
namespace {

constexpr Duration kDateResolution{1'000};

// The second tightest of the first `count` bounds, or the only one.
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
  settle(start);
  if (!offset_on_record) return;
  offset_ = *offset_on_record;
  settled_skew_ = skew_on_record;
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

bool CircleClock::follow_wall(Now now) {
  if (confirmed() || !has_moved(now)) return false;
  const Duration before = offset_;
  start_from(now);
  settle(now);
  return offset_ != before;
}

void CircleClock::settle(Now now) {
  settled_skew_ = skew(now);
  doubted_ = false;
  odd_offset_.reset();
}

bool CircleClock::has_moved(Now now) const {
  return std::chrono::abs(skew(now) - settled_skew_) > kMovedMin;
}

bool CircleClock::look(Now now) {
  if (!confirmed() || !has_moved(now)) return false;
  if (doubted() && std::chrono::abs(skew(now) - doubted_skew_) <= kMovedMin) return false;
  const Duration forward = (doubted() ? doubted_skew_ : settled_skew_) - skew(now);
  const bool set_right = std::chrono::abs(skew(now)) <= kAgreesMax;
  doubt(now, offset_ + (set_right ? Duration{0} : forward));
  return true;
}

// An earlier doubt's offset stays if it is later: Circle's time may be as late as any of them says.
void CircleClock::doubt(Now now, Duration later_offset) {
  doubted_ = true;
  ++doubts_;
  doubted_skew_ = skew(now);
  if (later_offset > offset_) {
    odd_offset_ = std::max(odd_offset_.value_or(later_offset), later_offset);
  }
}

WallTime CircleClock::latest(Now now) const {
  const WallTime by_boot = at(now.boot);
  if (!doubted() && !has_moved(now)) return by_boot;
  if (!confirmed()) return std::max(by_boot, now.wall + skew_on_record_);
  WallTime latest = by_boot;
  // The wall clock may have been set right, or may still be as far from Circle's as before.
  if (std::chrono::abs(skew(now)) > kAgreesMax) {
    latest = std::max({latest, now.wall, now.wall + settled_skew_});
  }
  if (odd_offset_) latest = std::max(latest, WallTime{now.boot.time_since_epoch() + *odd_offset_});
  return latest;
}

bool CircleClock::observe(WallTime date, const Sent& sent, Now received) {
  if (!settles(sent.doubts)) return false;
  // The bounds from before the doubt may no longer hold.
  if (doubted()) count_ = next_ = 0;
  const Duration own_low = date.time_since_epoch() - received.boot.time_since_epoch();
  add_bounds(own_low, date.time_since_epoch() + kDateResolution - sent.at.time_since_epoch());

  const Duration low = confirmed_bound(low_, count_, std::greater<>{});
  const Duration high = std::max(low, confirmed_bound(high_, count_, std::less<>{}));
  const Duration before = offset_;
  if (offset_ < low || offset_ > high) offset_ = low + (high - low) / 2;
  settle(received);
  if (own_low > offset_ + kDateAheadMin) doubt(received, own_low);
  return offset_ != before;
}

}  // namespace rota
