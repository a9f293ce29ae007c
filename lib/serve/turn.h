#pragma once

#include <sched.h>

#include <chrono>

#include "http/limits.h"

namespace rota {

// How long one handler may keep the loop while it has more of the same to do. It does one thing at
// least, asks after each, and leaves what is left to its next turn, behind all others' (P11).
class Turn {
 public:
  // Once the time is up, the processor has been offered to who waits for it: a client with its
  // reply in hand often does, and would for milliseconds behind a daemon that does not pause.
  bool ended() const {
    if (Clock::now() < end_) return false;
    ::sched_yield();
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;  // finer than rota::Clock, and no state depends on it

  Clock::time_point end_ = Clock::now() + kTurnMax;
};

}  // namespace rota
