#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "base/time.h"
#include "plan/lane.h"

namespace rota {

// The rate budget (P7): a call takes a slot from its sending until one window after its completion, so
// that no window of that length, wherever it is laid, can see more than the limit. Pure: time comes in
// as an argument, on the boot clock, which no clock step moves.
class Budget {
 public:
  // A tenth of the limit, at least one call, is kept from background lanes.
  Budget(std::size_t calls_per_window, Duration window);

  // A call of an earlier run of the daemon that the journal still counts.
  void restore(BootTime completed_at);

  // Whether a call of this lane may be sent now.
  bool may_send(Lane lane, BootTime now);
  // The next moment at which may_send() can become true; none: not before a call in flight completes.
  std::optional<BootTime> next_slot(Lane lane, BootTime now);

  void sent();
  void completed(BootTime now);
  void never_sent();  // gives the slot back at once

  // 429 and Retry-After: no lane sends before `until`.
  void pause(BootTime until);
  std::optional<BootTime> paused_until(BootTime now) const;

  std::size_t used(BootTime now);
  std::size_t limit() const { return limit_; }

 private:
  std::size_t limit_for(Lane lane) const;
  void drop_old(BootTime now);

  const std::size_t limit_;
  const std::size_t reserve_;
  const Duration window_;

  std::size_t in_flight_ = 0;
  std::deque<BootTime> completed_;  // in order of time
  BootTime paused_until_{};
};

}  // namespace rota
