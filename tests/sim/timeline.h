#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/time.h"

namespace rota::sim {

// Virtual time and the events that are due in it. Time moves only from event to event. While the
// daemon's machine is suspended, its events wait; the rest of the world goes on.
class Timeline {
 public:
  using Action = std::move_only_function<void()>;

  // The true time since the world began.
  Duration now() const { return now_; }

  void outside(Duration delay, Action action) { add(delay, false, std::move(action)); }
  void machine(Duration delay, Action action) { add(delay, true, std::move(action)); }

  // For this long no event of the machine happens. Those that were due meanwhile come right after,
  // in their order.
  void suspend(Duration length);
  // The same for a virtual machine that is paused: all its events come later by this time.
  void stand_still(Duration length);
  bool suspended() const { return now_ < awake_at_; }

  // When the next event is due; none: there is none.
  std::optional<Duration> next() const;
  // Carries out the next event. False if there is none up to `end`; then the time is `end`.
  bool step(Duration end);

 private:
  struct Event {
    Duration due;          // if the machine slept at that time: when it woke
    Duration wanted;       // when it was due at first: events that waited go in this order
    std::uint64_t number;  // of events that are due at one time, the one added first goes first
    bool of_machine;
    Action action;
  };
  void add(Duration delay, bool of_machine, Action action);
  void push(Event event);

  Duration now_{0};
  Duration awake_at_{0};
  std::uint64_t next_number_ = 0;
  std::vector<Event> events_;  // a heap, the next one in front
};

}  // namespace rota::sim
