#pragma once

#include <cstddef>

#include "base/time.h"

namespace rota {

// Spreads calls evenly: `calls` of them in a window, a few at once after a pause. This is the
// generic cell rate algorithm (ITU-T I.371), which needs to remember only one time. Times are on
// the boot clock.
class Pace {
 public:
  // Aborts if `calls` is 0.
  Pace(std::size_t calls, Duration window);

  // When the next call may go, which may be in the past.
  BootTime next() const { return spent_until_ - slack_; }
  bool may_send(BootTime now) const { return next() <= now; }
  // Counts a call, also one that may_send() does not allow.
  void sent(BootTime now);
  // Takes back one sent().
  void never_sent();
  // Something else holds the calls back until `until`. Calls that were not sent until then do not
  // come in a burst afterwards.
  void hold(BootTime until);

  // One kBurstShare-th of a window's calls may go at once, and at least kBurstMin calls.
  static constexpr std::size_t kBurstShare = 20;
  static constexpr std::size_t kBurstMin = 2;

 private:
  const Duration gap_;    // between two calls
  const Duration slack_;  // the sum of the gaps that a burst may leave out
  // Begins one window before the boot: restored calls may be that old.
  BootTime spent_until_;
  BootTime held_;  // spent_until_ does not fall below this
};

}  // namespace rota
