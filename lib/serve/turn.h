#pragma once

#include <sched.h>

#include <chrono>

#include "http/limits.h"

namespace rota {

// How long one handler may keep the loop while it has more of the same to do (P11). The handler
// does at least one thing, asks ended() after each, and leaves the rest to its next turn, after all
// others. The turn begins when this object is made.
class Turn {
 public:
  bool ended() const { return Clock::now() >= end_; }

 private:
  using Clock = std::chrono::steady_clock;  // finer than rota::Clock, and no state depends on it

  Clock::time_point end_ = Clock::now() + kTurnMax;
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
