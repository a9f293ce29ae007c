#pragma once

#include <cstddef>

#include "base/time.h"

namespace rota {

// Spreads calls evenly: `calls` of them per window, a few at once after a pause. It is the generic
// cell rate algorithm (ITU-T I.371): one time says all that went before. Pure, on the boot clock.
class Pace {
 public:
  Pace(std::size_t calls, Duration window);

  BootTime next() const { return spent_until_ - slack_; }
  bool may_send(BootTime now) const { return next() <= now; }
  void sent(BootTime now);
  void never_sent();
  // Something else holds the calls back until `until`: what was not sent is not made up for.
  void hold(BootTime until);

  // Of a window's calls, this part may go at once, and at least kBurstMin.
  static constexpr std::size_t kBurstShare = 20;
  static constexpr std::size_t kBurstMin = 2;

 private:
  const Duration gap_;    // between two calls
  const Duration slack_;  // the gaps that a burst may leave out
  // From one window before this boot on: restored calls may be that old.
  BootTime spent_until_;
  BootTime held_;  // spent_until_ does not fall below this
};

}  // namespace rota
