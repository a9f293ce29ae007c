#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "base/time.h"
#include "plan/lane.h"
#include "plan/pace.h"

namespace rota {

// The rate budget (P7): a call takes a slot from its sending until one window after its completion,
// so that no window of that length, wherever it is laid, can see more than the limit. Pure: time
// comes in as an argument, on the boot clock, which no clock step moves.
class Budget {
 public:
  // A tenth of the limit, at least one call, is kept from background lanes, and half of that tenth
  // from revocations as well: a mass retirement leaves waiting clients something. What a more
  // urgent lane takes does not count against the others' part, so that it cannot shut them out.
  // Background calls are spread evenly over the window.
  Budget(std::size_t calls_per_window, Duration window);

  // A call of an earlier run of the daemon that the journal still counts. Its lane is not on
  // record: it counts as a background one.
  void restore(BootTime completed_at);

  // Whether a call of this lane may be sent now.
  bool may_send(Lane lane, BootTime now);
  // The next moment at which may_send() can become true; none: not before a call in flight
  // completes.
  std::optional<BootTime> next_slot(Lane lane, BootTime now);

  void sent(Lane lane, BootTime now);
  void completed(Lane lane, BootTime now);
  void never_sent(Lane lane);  // gives the slot back at once

  // 429 and Retry-After: no lane sends before `until`, and then one call at a time until one is
  // answered. Circle may count the calls that it refuses too, so that many at once would keep its
  // limit exceeded for ever.
  void pause(BootTime until);
  // A call that was sent then had an answer other than 429.
  void answered(BootTime sent_at);
  std::optional<BootTime> paused_until(BootTime now) const;

  std::size_t used(BootTime now);
  std::size_t limit() const { return all_.limit; }
  // The calls that background lanes may make in a window.
  std::size_t background_limit() const { return background_.limit; }

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
  // Calls `use` with each count that a call of this lane stands in.
  template <class Use>
  void for_each_count(Lane lane, Use use);

  const Duration window_;
  Slots all_;
  Slots unasked_;     // of these, the calls that no client waits for
  Slots background_;  // and of those, the background lanes' own
  Pace pace_;         // of the background
  BootTime paused_until_{};
  bool one_at_a_time_ = false;  // since the last pause
};

}  // namespace rota
