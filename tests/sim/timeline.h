#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/time.h"

namespace rota::sim {

// Virtual time and what is going to happen in it. Time moves only from event to event. Events of
// the machine that the daemon runs on wait while it is suspended; the rest of the world goes on.
class Timeline {
 public:
  using Action = std::move_only_function<void()>;

  // Since the world began; it is the true time.
  Duration now() const { return now_; }

  void outside(Duration delay, Action action) { add(delay, false, std::move(action)); }
  void machine(Duration delay, Action action) { add(delay, true, std::move(action)); }

  // Nothing of the machine happens for this long; all that was due meanwhile does right after, in
  // its order.
  void suspend(Duration length);
  // The same for a virtual machine that is paused: what was under way there goes on where it was.
  void stand_still(Duration length);
  bool suspended() const { return now_ < awake_at_; }

  // Carries out the next event; false when there is none up to `end`, and then it is `end`.
  bool step(Duration end);

 private:
  struct Event {
    Duration due;          // and, where the machine slept then, when it woke
    Duration wanted;       // when it was due: what waited goes in this order
    std::uint64_t number;  // of events due at one time the first one made goes first
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
