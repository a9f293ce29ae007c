#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "base/time.h"
#include "plan/lane.h"

namespace rota {

// The rate budget (P7): a call takes a slot from its sending until one window after its completion,
// so that no window of that length, wherever it is laid, can see more than the limit. Pure: time
// comes in as an argument, on the boot clock, which no clock step moves.
class Budget {
 public:
  // A tenth of the limit, at least one call, is kept from background lanes: all of them together
  // never take more than the rest. What the urgent lanes take does not count against that, so that
  // these cannot shut the background out.
  Budget(std::size_t calls_per_window, Duration window);

  // A call of an earlier run of the daemon that the journal still counts. Its lane is not on
  // record: it counts as a background one.
  void restore(BootTime completed_at);

  // Whether a call of this lane may be sent now.
  bool may_send(Lane lane, BootTime now);
  // The next moment at which may_send() can become true; none: not before a call in flight
  // completes.
  std::optional<BootTime> next_slot(Lane lane, BootTime now);

  void sent(Lane lane);
  void completed(Lane lane, BootTime now);
  void never_sent(Lane lane);  // gives the slot back at once

  // 429 and Retry-After: no lane sends before `until`.
  void pause(BootTime until);
  std::optional<BootTime> paused_until(BootTime now) const;

  std::size_t used(BootTime now);
  std::size_t limit() const { return all_.limit; }

 private:
  struct Slots {
    std::size_t limit = 0;
    std::size_t in_flight = 0;
    std::deque<BootTime> completed;  // in order of time

    std::size_t used() const { return in_flight + completed.size(); }
    void restore(BootTime completed_at);
    void complete(BootTime now);
    void give_back();
    void drop_old(BootTime now, Duration window);
    // When the next slot is free; none: not before a call in flight completes.
    std::optional<BootTime> next(BootTime now, Duration window) const;
  };
  void drop_old(BootTime now);

  const Duration window_;
  Slots all_;
  Slots background_;  // of these, the background lanes' own
  BootTime paused_until_{};
};

}  // namespace rota
