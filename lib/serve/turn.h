#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "base/check.h"
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

// When a busy loop offers the processor to other processes, between two turns of a handler that has
// more to do. A client that has its reply often waits for the processor, and would wait for
// milliseconds if the daemon did not pause. Not after each turn: a crowd waits for the processor,
// too. And an offer that is taken by a program that computes costs a whole slice of the scheduler
// (since Linux 6.18 sched_yield() even gives away the slice that would come next), after 30 us of
// work. So the next offer waits until the loop has run for as long as the last one took.
// For the loop's thread.
class Pauses {
 public:
  using Duration = std::chrono::nanoseconds;

  void turn_ended() {
    if (++turns_ % kTurnsPerYield != 0) return;
    if (is_owed() && !may_offer(run_time())) return;
    const auto before = Turn::Clock::now();
    ::sched_yield();
    if (const Duration took = Turn::Clock::now() - before; took > kOfferCheap) {
      was_dear(took, run_time());
    }
  }

  // The decision. `ran`: processor time that the loop's thread has used so far; it does not count
  // while somebody else runs.
  bool is_owed() const { return owed_until_ > Duration::zero(); }
  bool may_offer(Duration ran) {
    if (ran < owed_until_) return false;
    owed_until_ = Duration::zero();
    return true;
  }
  void was_dear(Duration took, Duration ran) { owed_until_ = ran + took; }

 private:
  static Duration run_time() {
    timespec time{};
    ROTA_CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  }

  unsigned turns_ = 0;
  Duration owed_until_{0};
};

}  // namespace rota
