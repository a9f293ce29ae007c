#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/random.h"
#include "base/time.h"
#include "engine/trouble.h"
#include "model/outcome.h"
#include "model/record.h"
#include "plan/breaker.h"
#include "plan/budget.h"
#include "plan/dead_arrivals.h"
#include "plan/lane.h"
#include "plan/policy.h"

namespace rota {

// A call from its journal row on until its reply.
struct CallState {
  CallId id{};
  CallKind kind = CallKind::kIssue;
  Lane lane = Lane::kIssue;
  MemberId member{};
  TokenId token{};                  // what it is about; none for kIssue
  std::optional<MemberKey> name{};  // what an issue call goes by, once it was sent
  std::optional<BootTime> sent_at;  // none: its journal row is not durable yet
  int app_token = 0;                // which one it was sent with
  std::uint64_t clock_doubts = 0;   // of Circle's time, until it was sent
};

// Whether a call may go to Circle now, and which of several: the rate budget (P7), the breaker
// (P8), the room in flight, pauses that Circle asked for, and tokens that are dead on arrival. It
// keeps the calls in flight.
//
// It decides nothing about one member, and makes nothing durable: what it returns, the engine tells
// or puts on record. Times are on the boot clock unless it says otherwise. Pure, and
// single-threaded: the engine owns it.
class CallGate {
 public:
  explicit CallGate(const Policy& policy);

  // A call of an earlier run that still counts (P7).
  void restore(BootTime completed_at) { budget_.restore(completed_at); }

  // --- Before a call ---

  bool may_send(Lane lane, BootTime now);
  // When budget, breaker and dead arrivals let a call of this lane go, never before `now`; none:
  // not before the reply to a call in flight. Room in flight does not count: may_send() may still
  // say no at that time, until a reply comes.
  std::optional<BootTime> earliest(Lane lane, BootTime now);
  // Which of the lanes that are ready sends next; none: none is.
  std::optional<Lane> pick(const std::array<bool, kLaneCount>& ready) {
    return picker_.pick(ready);
  }

  // --- A call's life: open() → send() → close() → heard(), or open() → give_up() ---

  // Takes its slot of the budget. The id must be new.
  void open(CallState call, BootTime now);
  // The call has to be open; what is returned is gone after close() or give_up().
  CallState& at(CallId call) { return calls_.at(call); }
  const std::map<CallId, CallState>& calls() const { return calls_; }
  // Its journal row is durable. Whether it may still go out: a pause, an open breaker or dead
  // arrivals may have come since it was opened. The call has to be open.
  bool may_still_send(const CallState& call, BootTime now) const;
  void send(CallState& call, BootTime now);
  // It is open and was never sent: gives the slot back.
  void give_up(CallId call);
  // Its reply is here: it is in flight no more. The call has to be open and sent.
  CallState close(CallId call);

  // What a reply means for the calls to come.
  enum class BreakerNews {
    kNone,
    kOpened,       // for the first time since it was closed, or for another reason than before
    kOpenedAgain,  // for a reason that was told before
    kClosed,
  };
  struct Pause {
    Duration length{0};               // that was asked for, or that we take
    bool is_first = false;            // nothing was held back before
    std::optional<BootTime> until{};  // the new end of the pause, to be put on record; none: no new
  };
  struct Heard {
    std::optional<Pause> pause;
    BreakerNews breaker = BreakerNews::kNone;
  };
  // `call`: what close() returned; once for each call, for its slot of the budget lasts until one
  // window after this. `circle`: Circle's time, for `trouble`.
  Heard heard(const CallState& call, const Outcome& outcome, BootTime now, WallTime circle,
              Random& random);

  // A call brought this member a token, and whether it had ended by then.
  struct Arrival {
    DeadArrivals::News news = DeadArrivals::News::kNone;
    bool released = false;  // calls that bring tokens are held back no more
  };
  Arrival arrived(MemberId member, bool dead, BootTime now, Random& random);
  // It is wanted no more, or its standing is unknown.
  void forget_arrival(MemberId member) { dead_arrivals_.forget(member); }
  void forget_arrivals() { dead_arrivals_ = {}; }

  // A pause of an earlier run goes on.
  void pause_until(BootTime until) { budget_.pause(until); }
  // A new app token was read: what was sent with the one before says nothing about it. True: the
  // breaker has closed.
  bool new_app_token();

  // --- What is asked about it ---

  std::size_t in_flight() const { return calls_.size(); }
  std::size_t rotations_in_flight() const;
  // When the first call of any lane could go out at the earliest by pauses and breaker, from `now`.
  BootTime held_back_until(BootTime now) const;
  const Breaker& breaker() const { return breaker_; }
  // Circle refuses the app token or the community: no member's call can work.
  bool refused_as_a_whole() const;
  const DeadArrivals& dead_arrivals() const { return dead_arrivals_; }
  const std::optional<Trouble>& trouble() const { return trouble_.current(); }
  // Drops slots that are over as it is asked.
  Budget& budget() { return budget_; }
  const Budget& budget() const { return budget_; }

 private:
  std::optional<Pause> hold_back(std::optional<Duration> asked, BootTime now);

  const std::size_t in_flight_max_;
  Budget budget_;
  Breaker breaker_;
  DeadArrivals dead_arrivals_;
  TroubleWatch trouble_;
  LanePicker picker_;
  std::map<CallId, CallState> calls_;
  std::set<BreakerState> told_;  // since the breaker was last closed: each reason is one alarm
  int throttles_ = 0;            // 429s in a row
  int app_token_ = 0;            // counts the app tokens that were read
};

}  // namespace rota
