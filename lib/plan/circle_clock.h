#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace rota {

// Circle's clock as Rota knows it (P1): the boot clock plus an offset, so that no step of this
// machine's wall clock moves it. The offset starts from the wall clock and the skew on record,
// but never so that Circle's time is earlier than the last one on record.
//
// Each reply bounds the offset. Circle wrote the reply's Date, in whole seconds, between our
// sending and our receiving:
//
//     date - received  <=  offset  <  date + 1 s - sent
//
// The offset moves only if it is outside these bounds, and then to the middle between them. There
// it is off by at most half a second and half of the call. So the whole seconds of a Date never
// move clocks that agree. Of the last kSamples bounds of each side the second tightest counts, so a
// single odd Date moves nothing once there are others.
//
// While a virtual machine is paused, its boot clock stands still and Circle's time goes on. That
// shows once somebody sets the wall clock right, which moves it against the boot clock, or in a
// single Date that is far ahead. Neither is proof, so neither moves the offset. But until Circle
// answers a call that was sent after that (the doubt), a token counts by latest(), the later of the
// two times.
//
// The loop thread calls everything here.
class CircleClock {
 public:
  // `offset_on_record`: the offset that an earlier process learned since this machine booted. If
  // there is one, the wall clock tells only whether it was set since. The offset counts as one pair
  // of bounds, so a single odd Date moves nothing after a restart either.
  CircleClock(Now start, std::optional<WallTime> last_on_record, Duration skew_on_record,
              std::optional<Duration> offset_on_record = std::nullopt);

  // Circle's time at a time of the boot clock, and the other way round. For whether a token is
  // alive, ask latest().
  WallTime at(BootTime boot) const { return WallTime{boot.time_since_epoch() + offset_}; }
  BootTime boot_at(WallTime circle) const { return BootTime{circle.time_since_epoch() - offset_}; }

  // When a call was sent, and doubts() at that moment.
  struct Sent {
    BootTime at;
    std::uint64_t doubts = 0;
  };
  // Takes a reply's Date. True if it moved the offset. Ignores the reply to a call that was sent
  // before the present doubt.
  bool observe(WallTime date, const Sent& sent, Now received);

  // Compares the two clocks; every event does this first. True if the wall clock has moved against
  // the boot clock since the last look or reply: a reason to ask Circle at once. Always false
  // before the first reply, when follow_wall() does this work.
  bool look(Now now);
  // Whether the wall clock has moved, or a single Date was far ahead, and Circle has not answered a
  // later call yet.
  bool doubted() const { return doubted_; }
  std::uint64_t doubts() const { return doubts_; }  // so far
  // Whether the reply to a call that was sent after `doubts` doubts ends the present one.
  bool settles(std::uint64_t doubts) const { return !doubted_ || doubts == doubts_; }
  // The latest that Circle's time may be now. A token is served only if it is alive at this time.
  WallTime latest(Now now) const;

  // Before the first reply on this boot, the wall clock is the best source. If it was set, this
  // takes Circle's time from it again, and returns whether that moved the offset.
  bool follow_wall(Now now);

  // Circle's clock minus this machine's wall clock.
  Duration skew(Now now) const { return at(now.boot) - now.wall; }
  // skew() at the last reply: this goes on record, and shows a later start whether the wall clock
  // has moved.
  Duration settled_skew() const { return settled_skew_; }
  // Whether at least one reply on this boot, perhaps to an earlier process, gave the offset.
  bool confirmed() const { return count_ > 0; }
  Duration offset() const { return offset_; }  // Circle's time minus the boot clock

  static constexpr std::size_t kSamples = 9;
  // If the wall clock moves by no more than this against the boot clock, that means nothing: the
  // two are not read at one moment. (Slewing moves both alike.)
  static constexpr Duration kMovedMin{400};
  // A wall clock that is this close to our idea of Circle's time counts as right.
  static constexpr Duration kAgreesMax{2'000};
  // A Date that is ahead of our idea of Circle's time by more than this, the margin of an expiry,
  // is a reason to doubt.
  static constexpr Duration kDateAheadMin{1'000};

 private:
  void start_from(Now now);
  void settle(Now now);
  bool has_moved(Now now) const;
  void doubt(Now now, Duration later_offset);
  void add_bounds(Duration low, Duration high);

  // Constant after construction.
  const std::optional<WallTime> last_on_record_;
  const Duration skew_on_record_;

  // Loop thread only.
  Duration offset_{};
  Duration settled_skew_{};
  bool doubted_ = false;
  std::uint64_t doubts_ = 0;
  Duration doubted_skew_{};  // skew() when the last doubt was noted
  // The latest offset that the doubt allows: by a Date that was far ahead, or by how far the wall
  // clock went forward between two looks.
  std::optional<Duration> odd_offset_;
  // Rings of bounds, the first count_ of them in use.
  std::array<Duration, kSamples> low_{};
  std::array<Duration, kSamples> high_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace rota
