#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"

namespace rota {

// Circle's clock as Rota knows it (P1): the boot clock plus an offset, so that no step of this machine's
// wall clock moves it. The offset starts from the wall clock and the skew on record, never earlier than
// the last Circle time on record, and is corrected by the median of what recent `Date` headers say. A
// Date counts whole seconds: half a second is added to it. Running late would serve expired tokens, so
// that is mended once it is more than kToleratedDelay; running early only costs a little of each token's
// life, and noise is not worth following: it is mended past kToleratedLead.
class CircleClock {
 public:
  CircleClock(Now start, std::optional<WallTime> last_on_record, Duration skew_on_record);

  WallTime at(BootTime boot) const { return WallTime{boot.time_since_epoch() + offset_}; }
  BootTime boot_at(WallTime circle) const { return BootTime{circle.time_since_epoch() - offset_}; }

  // A reply with this Date came at `received`. True when the clock was moved by it.
  bool observe(WallTime date, BootTime received);

  // Circle's clock minus this machine's wall clock.
  Duration skew(Now now) const { return at(now.boot) - now.wall; }
  bool confirmed() const { return count_ > 0; }  // by at least one reply since the start

  static constexpr std::size_t kSamples = 9;
  static constexpr Duration kToleratedDelay{200};
  static constexpr Duration kToleratedLead{2'000};

 private:
  Duration offset_;
  std::array<Duration, kSamples> samples_{};  // offsets, a ring
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace rota
