#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "plan/lane.h"
#include "plan/pace.h"

namespace rota {

// The rate budget (P7). A call takes a slot from its sending until one window after its completion.
// So no window of that length, wherever it begins, can see more calls than the limit. Times are on
// the boot clock, which no clock step moves, and are given in order.
class Budget {
 public:
  // A tenth of the limit, at least one call, is kept from background lanes. Half of that tenth is
  // kept from revocations as well, so that a mass retirement leaves some calls to waiting clients.
  // Calls of a more urgent lane do not count against the part of the others, so they cannot shut
  // the others out. Background calls are spread evenly over the window. Aborts unless
  // `calls_per_window` is at least 2 and `window` is positive.
  Budget(std::size_t calls_per_window, Duration window);

  // Counts a call of an earlier run of the daemon. The journal does not have its lane, so it counts
  // as a background call.
  void restore(BootTime completed_at);

  // Whether a call of this lane may be sent now.
  bool may_send(Lane lane, BootTime now);
  // The earliest time at which may_send() can become true, `now` or later; none: not before a call
  // in flight completes.
  std::optional<BootTime> next_slot(Lane lane, BootTime now);

  // sent() takes a slot, also if may_send() is false. Each is followed by one completed() or
  // never_sent() of the same lane; never_sent() gives the slot back at once.
  void sent(Lane lane, BootTime now);
  void completed(Lane lane, BootTime now);
  void never_sent(Lane lane);

  // For a 429 or Retry-After: no lane sends before `until`, and then one call at a time until one
  // is answered. Circle may count the calls that it refuses too, so many at once could keep its
  // limit exceeded for ever. A pause never becomes shorter.
  void pause(BootTime until);
  // A call that was sent at `sent_at` got an answer other than 429. If that was after the pause,
  // calls no longer go one at a time.
  void answered(BootTime sent_at);
  std::optional<BootTime> paused_until(BootTime now) const;  // none if no pause is on

  // When the calls of the last window ended, in order.
  std::vector<BootTime> ended(BootTime now);
  // How many slots are taken: calls in flight, and calls that ended within the last window.
  std::size_t used(BootTime now);
  std::size_t limit() const { return all_.limit; }
  // How many calls background lanes may make in a window.
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
  // Calls `use` with each count to which a call of this lane belongs.
  template <class Use>
  void for_each_count(Lane lane, Use use);

  const Duration window_;
  Slots all_;
  Slots unasked_;     // calls that no client waits for
  Slots background_;  // calls of the background lanes
  Pace pace_;         // of the background
  BootTime paused_until_{};
  bool one_at_a_time_ = false;  // since the last pause
};

}  // namespace rota
