#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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
//
// The boot clock stands still while a virtual machine is paused, and Circle's time goes on. What
// shows it is the wall clock, once somebody sets it right: it moves against the boot clock. So does
// a single Date that is far ahead. That is no proof, so it moves nothing here. But until Circle
// answers a call that is sent after it, a token counts by latest(), the later of the two times.
class CircleClock {
 public:
  // `offset_on_record`: as learned on this boot; then the wall clock tells only whether it has
  // moved since, and the offset counts as one bound, so that a restart believes no single odd Date
  // either.
  CircleClock(Now start, std::optional<WallTime> last_on_record, Duration skew_on_record,
              std::optional<Duration> offset_on_record = std::nullopt);

  WallTime at(BootTime boot) const { return WallTime{boot.time_since_epoch() + offset_}; }
  BootTime boot_at(WallTime circle) const { return BootTime{circle.time_since_epoch() - offset_}; }

  // A call: when it was sent, and doubts() at that moment.
  struct Sent {
    BootTime at;
    std::uint64_t doubts = 0;
  };
  // A reply with this Date to that call, received now. True when the clock was moved by it. One to
  // a call from before the present doubt says nothing.
  bool observe(WallTime date, const Sent& sent, Now received);

  // Both clocks are looked at, which every event does. True when the wall clock is found to have
  // moved against the boot clock: a reason to ask Circle at once.
  bool look(Now now);
  // It has moved, or a single Date was far ahead, and Circle has not answered since.
  bool doubted() const { return doubted_; }
  std::uint64_t doubts() const { return doubts_; }  // so far
  // Whether the reply to a call that was sent after so many doubts settles the present one.
  bool settles(std::uint64_t doubts) const { return !doubted_ || doubts == doubts_; }
  // The latest that Circle's time may be: what has not ended by it has not ended.
  WallTime latest(Now now) const;

  // Until the first reply since the start, nothing better is known than what the wall clock shows:
  // true when it was set and Circle's time was taken from it anew.
  bool follow_wall(Now now);

  // Circle's clock minus this machine's wall clock.
  Duration skew(Now now) const { return at(now.boot) - now.wall; }
  // The same as of the last reply: what goes on record. A later start can tell by it that the wall
  // clock has moved.
  Duration settled_skew() const { return settled_skew_; }
  // By at least one reply on this boot.
  bool confirmed() const { return count_ > 0; }
  Duration offset() const { return offset_; }  // Circle's time minus the boot clock

  static constexpr std::size_t kSamples = 9;
  // The wall clock may move this much against the boot clock and say nothing by it: two clocks
  // are not read at one moment. (Slewing moves both alike.)
  static constexpr Duration kMovedMin{400};
  // A wall clock that is set to our idea of Circle's time, that well, is set right.
  static constexpr Duration kAgreesMax{2'000};
  // A Date that is ahead by more than the margin of an expiry is a reason to doubt.
  static constexpr Duration kDateAheadMin{1'000};

 private:
  void start_from(Now now);
  void settle(Now now);
  bool has_moved(Now now) const;
  void doubt(Now now, Duration later_offset);
  void add_bounds(Duration low, Duration high);

  const std::optional<WallTime> last_on_record_;
  const Duration skew_on_record_;
  Duration offset_{};
  Duration settled_skew_{};
  bool doubted_ = false;
  std::uint64_t doubts_ = 0;
  Duration doubted_skew_{};  // as the look that noted it found it
  // By a Date that was far ahead, or by how far the wall clock went forward between two looks.
  std::optional<Duration> odd_offset_;
  // Rings of bounds, the first count_ of them in use.
  std::array<Duration, kSamples> low_{};
  std::array<Duration, kSamples> high_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace rota
