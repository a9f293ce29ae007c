#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"

namespace rota {

// Circle's clock as Rota knows it (P1): the boot clock plus an offset, so that no step of this
// machine's wall clock moves it. The offset starts from the wall clock and the skew on record,
// never earlier than the last Circle time on record.
//
// Each reply bounds it. Its Date, which counts whole seconds, was written between sending and
// receiving:
//
//     date - received  <=  offset  <  date + 1 s - sent
//
// The offset moves only when it is outside these bounds, and then to the middle between them, where
// it is off by no more than half a second and half of the call; so clocks that agree are never
// disturbed by the whole seconds of a header. Of the last kSamples bounds the
// tightest one that a second one confirms is taken, so that a single odd Date moves nothing once
// there are others.
class CircleClock {
 public:
  // `offset_on_record`: as learned on this boot; then the wall clock is not asked at all, and it
  // counts as one bound, so that a restart believes no single odd Date either.
  CircleClock(Now start, std::optional<WallTime> last_on_record, Duration skew_on_record,
              std::optional<Duration> offset_on_record = std::nullopt);

  WallTime at(BootTime boot) const { return WallTime{boot.time_since_epoch() + offset_}; }
  BootTime boot_at(WallTime circle) const { return BootTime{circle.time_since_epoch() - offset_}; }

  // A reply with this Date to a call sent and received then. True when the clock was moved by it.
  bool observe(WallTime date, BootTime sent, BootTime received);

  // The wall clock was set. Until the first reply since the start, nothing better is known than
  // what it shows now: true when Circle's time was taken from it anew.
  bool on_wall_step(Now now);

  // Circle's clock minus this machine's wall clock.
  Duration skew(Now now) const { return at(now.boot) - now.wall; }
  // By at least one reply on this boot.
  bool confirmed() const { return count_ > 0; }
  Duration offset() const { return offset_; }  // Circle's time minus the boot clock

  static constexpr std::size_t kSamples = 9;

 private:
  void start_from(Now now);
  void add_bounds(Duration low, Duration high);

  const std::optional<WallTime> last_on_record_;
  const Duration skew_on_record_;
  Duration offset_{};
  // Rings of bounds, the first count_ of them in use.
  std::array<Duration, kSamples> low_{};
  std::array<Duration, kSamples> high_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace rota
