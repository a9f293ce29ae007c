#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>

#include "http/limits.h"

namespace rota {

// How long one handler may keep the loop while it has more of the same to do (P11). The handler
// does at least one thing, asks ended() after each, and leaves the rest to its next turn, after all
// others. The turn begins when this object is made.
class Turn {
 public:
  using Clock = std::chrono::steady_clock;  // finer than rota::Clock, and no state depends on it

  // A turn of kTurnMin.
  Turn() : Turn(kTurnMin) {}
  // A turn of somebody that has waited for it so long. While the loop does something else, such as
  // to take in replies of Circle, it does that as long as there is some of it. A turn of kTurnMin
  // after each such round would not be enough, so the turn is as long as the wait was, up to
  // kTurnMax.
  static Turn after(Clock::duration waited) {
    return Turn(std::clamp<Clock::duration>(waited, kTurnMin, kTurnMax));
  }

  bool ended() const { return Clock::now() >= end_; }
  // How long it was given at its beginning.
  Clock::duration length() const { return length_; }

 private:
  explicit Turn(Clock::duration length) : length_(length), end_(Clock::now() + length) {}

  Clock::duration length_;
  Clock::time_point end_;
};

// Offers the processor to other processes now and then, between two turns of a handler that has
// more to do. A client that has its reply often waits for the processor, and would wait for
// milliseconds if the daemon did not pause. Not after each turn: a crowd waits for the processor,
// too.
class Pauses {
 public:
  void turn_ended() {
    if (++turns_ % kTurnsPerYield == 0) ::sched_yield();
  }

 private:
  unsigned turns_ = 0;
};

}  // namespace rota
