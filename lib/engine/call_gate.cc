#include "engine/call_gate.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/check.h"

namespace rota {
namespace {

// Of the calls in flight, this part is kept from background lanes.
constexpr std::size_t kUrgentInFlightShare = 4;
// At most so many times the calls in flight have their row written ahead of room for them: a crash
// leaves a doubt for each.
constexpr std::size_t kAheadMax = 4;
// Where 429 comes without Retry-After: doubles from one to the other. After each there is one call.
constexpr Duration kThrottlePauseMin{2'000};
constexpr Duration kThrottlePauseMax{30'000};

}  // namespace

CallGate::CallGate(const Policy& policy)
    : in_flight_max_(policy.max_in_flight), budget_(policy.requests_per_window, policy.window) {}

bool CallGate::may_send(Lane lane, BootTime now) {
  return has_quota(lane) && may_send_by_itself(lane, now);
}

bool CallGate::lacks_quota_only(Lane lane, BootTime now) {
  return !has_quota(lane) && may_send_by_itself(lane, now);
}

bool CallGate::may_send_by_itself(Lane lane, BootTime now) {
  const bool lives = !traits_of(lane).brings_tokens || dead_arrivals_.may_send(now, rotations_);
  return has_room(lane, open_, in_flight_max_ + ahead_) && lives && budget_.may_send(lane, now) &&
         breaker_.may_send(now, in_flight(), traits_of(lane).client_waits);
}

bool CallGate::has_room(Lane lane, const Count& count, std::size_t max) const {
  const std::size_t urgent_only =
      in_flight_max_ > 1 ? std::max<std::size_t>(1, in_flight_max_ / kUrgentInFlightShare) : 0;
  // As in the budget, only background calls count against the background's part.
  return count.all < max &&
         (!traits_of(lane).is_background || count.background + urgent_only < max);
}

std::optional<BootTime> CallGate::earliest(Lane lane, BootTime now) {
  const auto slot_at = budget_.next_slot(lane, now);
  if (!slot_at) return std::nullopt;
  BootTime at = std::max(now, *slot_at);
  if (const auto probe = breaker_.probe_at(traits_of(lane).client_waits)) at = std::max(at, *probe);
  if (traits_of(lane).brings_tokens && dead_arrivals_.holds_back()) {
    at = std::max(at, dead_arrivals_.probe_at());
  }
  return at;
}

void CallGate::add_quota(const CallCounts& calls) {
  ROTA_CHECK(quota_);
  for (const CallClass each : kCallClasses) quota_->at(index_of(each)) += calls.at(index_of(each));
}

void CallGate::drop_quota() {
  if (quota_) quota_->fill(0);
}

bool CallGate::has_quota(Lane lane) const {
  if (!quota_) return true;
  return std::any_of(quota_->begin() + index_of(class_of(lane)), quota_->end(),
                     [](std::size_t calls) { return calls > 0; });
}

void CallGate::use_quota(Lane lane) {
  if (!quota_) return;
  const auto found = std::find_if(quota_->begin() + index_of(class_of(lane)), quota_->end(),
                                  [](std::size_t calls) { return calls > 0; });
  ROTA_CHECK(found != quota_->end());
  --*found;
}

void CallGate::open(CallState call, BootTime now) {
  use_quota(call.lane);
  budget_.sent(call.lane, now);
  add(open_, call.lane);
  if (rotates(call.kind)) ++rotations_;
  const CallId id = call.id;
  calls_.emplace(id, std::move(call));
}

bool CallGate::may_still_send(const CallState& call, BootTime now) const {
  return !budget_.paused_until(now) &&
         breaker_.may_send(now, in_flight() - 1, traits_of(call.lane).client_waits) &&
         (!rotates(call.kind) || dead_arrivals_.may_send(now, rotations_ - 1));
}

void CallGate::send(CallState& call, BootTime now) {
  add(sent_, call.lane);
  call.sent_at = now;
  call.app_token = app_token_;
}

void CallGate::give_up(CallId call) {
  const auto it = calls_.find(call);
  ROTA_CHECK(it != calls_.end() && !it->second.sent_at);
  budget_.never_sent(it->second.lane);
  forget(it->second);
  calls_.erase(it);
}

void CallGate::hold(CallId call) { held_.emplace(at(call).lane, call); }

std::optional<CallId> CallGate::take_held(bool all) {
  if (!recalled_.empty()) {
    const CallId call = recalled_.back();
    recalled_.pop_back();
    return call;
  }
  // If there is no room for the most urgent one, there is none for the others.
  if (held_.empty() || (!all && !has_room(at(held_.begin()->second)))) return std::nullopt;
  return held_.extract(held_.begin()).value().second;
}

void CallGate::recall(CallId call) {
  const auto it = calls_.find(call);
  if (it == calls_.end() || !rotates(it->second.kind)) return;
  if (held_.erase({it->second.lane, call}) > 0) recalled_.push_back(call);
}

void CallGate::write_ahead(std::size_t replies) {
  // As many for the commit that runs as for the time until it ends.
  ahead_ = std::min(2 * replies, kAheadMax * in_flight_max_);
}

CallState CallGate::close(CallId call) {
  const auto it = calls_.find(call);
  ROTA_CHECK(it != calls_.end() && it->second.sent_at);
  CallState closed = std::move(it->second);
  forget(closed);
  drop(sent_, closed.lane);
  calls_.erase(it);
  return closed;
}

CallGate::Heard CallGate::heard(const CallState& call, const Outcome& outcome, BootTime now,
                                WallTime circle, Random& random) {
  Heard heard;
  const Transient* failure = transient(outcome);
  if (failure != nullptr && failure->reason == TransientReason::kNotSent) {
    budget_.never_sent(call.lane);
  } else {
    budget_.completed(call.lane, now);
    ++completed_;
  }
  if (const auto* throttled = std::get_if<Throttled>(&outcome)) {
    heard.pause = hold_back(throttled->after, now);
  } else if (failure != nullptr && failure->after) {
    heard.pause = hold_back(failure->after, now);
  } else if (failure == nullptr) {
    throttles_ = 0;
    budget_.answered(*call.sent_at);
  }
  // What was sent with the old app token says nothing about the new one.
  const bool refused = std::holds_alternative<AppTokenRefused>(outcome) ||
                       std::holds_alternative<NotEligible>(outcome);
  const bool is_closed = breaker_.state() == BreakerState::kClosed;
  if (call.app_token != app_token_ && (refused || !is_closed)) return heard;
  trouble_.note(outcome, circle);
  const bool urgent = traits_of(call.lane).client_waits;
  if (!breaker_.on_outcome(outcome, call.member, urgent, now, random)) return heard;
  if (breaker_.state() == BreakerState::kClosed) {
    told_.clear();
    heard.breaker = BreakerNews::kClosed;
  } else {
    const bool is_new = told_.insert(breaker_.state()).second;
    heard.breaker = is_new ? BreakerNews::kOpened : BreakerNews::kOpenedAgain;
  }
  return heard;
}

CallGate::Arrival CallGate::arrived(MemberId member, bool dead, BootTime now, Random& random) {
  const bool held_back = dead_arrivals_.holds_back();
  const DeadArrivals::News news = dead_arrivals_.on_arrival(member, dead, now, random);
  return {.news = news, .released = held_back && !dead_arrivals_.holds_back()};
}

bool CallGate::new_app_token() {
  ++app_token_;
  trouble_.clear();
  if (!breaker_.on_new_app_token()) return false;
  told_.clear();
  return true;
}

void CallGate::add(Count& count, Lane lane) {
  ++count.all;
  if (traits_of(lane).is_background) ++count.background;
}

void CallGate::drop(Count& count, Lane lane) {
  --count.all;
  if (traits_of(lane).is_background) --count.background;
}

void CallGate::forget(const CallState& call) {
  drop(open_, call.lane);
  if (rotates(call.kind)) --rotations_;
}

BootTime CallGate::held_back_until(BootTime now) const {
  BootTime at = now;
  if (const auto probe = breaker_.probe_at(false)) at = std::max(at, *probe);
  if (const auto paused = budget_.paused_until(now)) at = std::max(at, *paused);
  return at;
}

bool CallGate::refused_as_a_whole() const {
  switch (breaker_.state()) {
    case BreakerState::kAppTokenRefused:
    case BreakerState::kNotEligible:
      return true;
    case BreakerState::kClosed:
    case BreakerState::kFailing:
      return false;
  }
  ROTA_CHECK(false);
}

// Several calls may be hit by one refusal: only the first lengthens the pause of the next.
std::optional<CallGate::Pause> CallGate::hold_back(std::optional<Duration> asked, BootTime now) {
  const auto paused = budget_.paused_until(now);
  constexpr int kDoublingsMax = 8;
  const int doublings = paused ? 0 : std::min(throttles_, kDoublingsMax);
  const Duration unasked = std::min(kThrottlePauseMax, kThrottlePauseMin * (1 << doublings));
  Pause pause{.length = asked.value_or(unasked), .is_first = !paused};
  if (!paused) ++throttles_;
  if (paused.value_or(now) < now + pause.length) {
    pause.until = now + pause.length;
    budget_.pause(*pause.until);
  }
  return pause;
}

}  // namespace rota
