#pragma once

#include <sched.h>

#include <chrono>

#include "http/limits.h"

namespace rota {

// How long one handler may keep the loop while it has more of the same to do. It does one thing at
// least, asks after each, and leaves the rest to its next turn, behind all others' (P11).
class Turn {
 public:
  bool ended() const { return Clock::now() >= end_; }

 private:
  using Clock = std::chrono::steady_clock;  // finer than rota::Clock, and no state depends on it

  Clock::time_point end_ = Clock::now() + kTurnMax;
};

// Between two turns of a loop that has more to do: now and then it offers the processor to others.
// A client that holds its reply often waits for the processor, and would wait for milliseconds
// behind a daemon that does not pause. Not at each turn: a crowd waits for the processor, too.
class Pauses {
 public:
  void turn_ended() {
    if (++turns_ % kTurnsPerYield == 0) ::sched_yield();
  }

 private:
  unsigned turns_ = 0;
};

}  // namespace rota
