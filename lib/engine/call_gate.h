#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

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
#include "plan/shared_budget.h"

namespace rota {

constexpr bool sends_refresh_token(CallKind kind) {
  return kind == CallKind::kRefresh || kind == CallKind::kRevokeRefresh;
}

// A call, from the moment its journal row is entered until its reply is here.
struct CallState {
  CallId id{};
  CallKind kind = CallKind::kIssue;
  Lane lane = Lane::kIssue;
  MemberId member{};
  TokenId token{};                  // the token that it sends; unused for kIssue
  SecretPtr opened{};               // the value of a refresh token, once the store has opened it
  std::optional<MemberKey> name{};  // the name that an issue call was sent with
  // The member's access token was alive, and somebody asked for another one.
  bool forced = false;
  std::optional<BootTime> sent_at;  // none: its journal row is not durable yet
  int app_token = 0;                // the app token that it was sent with (CallGate counts them)
  std::uint64_t clock_doubts = 0;   // CircleClock::doubts() when it was sent
};

// Decides whether a call may go to Circle now, and from which lane: by the rate budget (P7), the
// breaker (P8), the number of calls in flight, the pauses that Circle asked for, and tokens that
// are dead on arrival. Keeps the calls in flight.
//
// It decides nothing about one member, and makes nothing durable: the engine tells people, or puts
// on record, what it returns. Times are on the boot clock unless a comment says otherwise. Pure,
// and single-threaded: the engine owns it.
class CallGate {
 public:
  explicit CallGate(const Policy& policy);

  // A call of an earlier run that still counts (P7).
  void restore(BootTime completed_at) { budget_.restore(completed_at); }

  // --- Before a call ---

  bool may_send(Lane lane, BootTime now);
  // The earliest time, `now` or later, at which budget, breaker and dead arrivals allow a call of
  // this lane; none: not before a call in flight is answered. The number of calls in flight is not
  // considered: may_send() may still be false at that time, until a reply comes.
  std::optional<BootTime> earliest(Lane lane, BootTime now);
  // The lane that sends next, of those that are ready; none: none is ready.
  std::optional<Lane> pick(const std::array<bool, kLaneCount>& ready) {
    return picker_.pick(ready);
  }

  // --- A call's life: open() → send() → close() → heard(), or open() → give_up(); between open()
  // and send() it may be held ---

  // Takes a slot of the budget for the call. Its id must be new.
  void open(CallState call, BootTime now);
  // The call must be open. The reference ends with close() or give_up().
  CallState& at(CallId call) { return calls_.at(call); }
  const std::map<CallId, CallState>& calls() const { return calls_; }
  // To be asked once the journal row is durable, and before send(): a pause, an open breaker or a
  // dead arrival since open() may forbid the call by now. The call must be open.
  bool may_still_send(const CallState& call, BootTime now) const;
  void send(CallState& call, BootTime now);
  // Whether a call whose journal row is durable finds room in flight.
  bool has_room(const CallState& call) const { return has_room(call.lane, sent_, in_flight_max_); }
  // It finds none: it goes once there is some, the most urgent one first.
  void hold(CallId call);
  // A held call that is to go now, or to be given up; none: none is. `all`: room or none.
  std::optional<CallId> take_held(bool all);
  // What it would bring is wanted no more: if it is held, take_held() returns it next.
  void recall(CallId call);
  // While a commit ran, this many replies came: about twice as many rows are written ahead of the
  // room in flight from here on, so that there is always one call on record that can go next.
  void write_ahead(std::size_t replies);
  // Gives the slot back. The call must be open and not sent.
  void give_up(CallId call);
  // Its reply is here: it is no longer in flight. The call must be open and sent.
  CallState close(CallId call);

  // What a reply means for the calls to come.
  enum class BreakerNews {
    kNone,
    kOpened,       // the first time for this reason since it was last closed
    kOpenedAgain,  // for a reason that was news before
    kClosed,
  };
  struct Pause {
    Duration length{0};               // what Circle asked for, or our own default
    bool is_first = false;            // no pause was running
    std::optional<BootTime> until{};  // its new end, to be put on record; none: it did not move
  };
  struct Heard {
    std::optional<Pause> pause;
    BreakerNews breaker = BreakerNews::kNone;
  };
  // `call` is what close() returned. Exactly once for each call: its slot of the budget is over one
  // window after this. `circle`: Circle's time, for trouble().
  Heard heard(const CallState& call, const Outcome& outcome, BootTime now, WallTime circle,
              Random& random);

  // A call brought this member a token; `dead`: it had already expired.
  struct Arrival {
    DeadArrivals::News news = DeadArrivals::News::kNone;
    bool released = false;  // calls that bring tokens are no longer held back
  };
  Arrival arrived(MemberId member, bool dead, BootTime now, Random& random);
  // The member needs no token any more, or it is not known whether its token was dead.
  void forget_arrival(MemberId member) { dead_arrivals_.forget(member); }
  void forget_arrivals() { dead_arrivals_ = {}; }

  // A pause that an earlier process put on record goes on.
  void pause_until(BootTime until) { budget_.pause(until); }
  // A new app token was read: from now on a refusal of the old one is ignored. True: the breaker
  // was open because Circle refused the app token or the community, and is closed now.
  bool new_app_token();

  // --- A budget that is shared with others (plan/shared_budget.h) ---

  // From now on a call goes out only if the quota has one for it.
  void share_budget() { quota_.emplace(); }
  bool shares_budget() const { return quota_.has_value(); }
  // Adds calls to the quota.
  void add_quota(const CallCounts& calls);
  // Takes away what is left of it.
  void drop_quota();
  // A call of a class may go out on a quota for that class or for a less urgent one.
  bool has_quota(Lane lane) const;
  // Whether a call of this lane could go out if there were a quota for it.
  bool lacks_quota_only(Lane lane, BootTime now);
  // How many calls are over that were sent.
  std::uint64_t completed() const { return completed_; }

  // --- What is asked about it ---

  std::size_t in_flight() const { return calls_.size(); }
  std::size_t rotations_in_flight() const { return rotations_; }
  // The earliest time, `now` or later, at which pauses and breaker allow any call.
  BootTime held_back_until(BootTime now) const;
  const Breaker& breaker() const { return breaker_; }
  // Circle refuses the app token or the community, so no call can succeed.
  bool refused_as_a_whole() const;
  const DeadArrivals& dead_arrivals() const { return dead_arrivals_; }
  const std::optional<Trouble>& trouble() const { return trouble_.current(); }
  const std::optional<WallTime>& last_good_reply() const { return trouble_.last_good(); }
  // Not const: asking it drops the slots that are over.
  Budget& budget() { return budget_; }
  const Budget& budget() const { return budget_; }

 private:
  struct Count {
    std::size_t all = 0;
    std::size_t background = 0;
  };
  static void add(Count& count, Lane lane);
  static void drop(Count& count, Lane lane);
  bool has_room(Lane lane, const Count& count, std::size_t max) const;
  void forget(const CallState& call);
  std::optional<Pause> hold_back(std::optional<Duration> asked, BootTime now);

  bool may_send_by_itself(Lane lane, BootTime now);
  void use_quota(Lane lane);

  const std::size_t in_flight_max_;
  Budget budget_;
  std::optional<CallCounts> quota_;  // none: the budget is not shared
  std::uint64_t completed_ = 0;
  Breaker breaker_;
  DeadArrivals dead_arrivals_;
  TroubleWatch trouble_;
  LanePicker picker_;
  std::map<CallId, CallState> calls_;
  Count open_;                 // of calls_
  Count sent_;                 // of these, those that were sent
  std::size_t rotations_ = 0;  // of calls_
  std::set<std::pair<Lane, CallId>> held_;
  std::vector<CallId> recalled_;
  std::size_t ahead_ = 0;        // calls that may be open though there is no room in flight
  std::set<BreakerState> told_;  // since the breaker was last closed: each reason is one alarm
  int throttles_ = 0;            // 429s in a row
  int app_token_ = 0;            // counts the app tokens that were read
};

}  // namespace rota
