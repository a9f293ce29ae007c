#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/expiry.h"
#include "plan/backoff.h"
#include "rotator/engine.h"

// What a reply does to the upstream's standing: budget, pauses, breaker, and Circle's clock.

namespace rota {
namespace {

// Where 429 comes without Retry-After: doubles from one to the other. After each there is one call.
constexpr Duration kThrottlePauseMin{2'000};
constexpr Duration kThrottlePauseMax{30'000};

}  // namespace

void Engine::note_upstream(const CallState& call, const Reply& reply, Now now) {
  ++counts_.calls.at(static_cast<std::size_t>(call.kind)).at(reply.outcome.index());
  const Transient* failure = transient(reply.outcome);
  if (failure != nullptr && failure->reason == TransientReason::kNotSent) {
    budget_.never_sent(call.lane);
  } else {
    budget_.completed(call.lane, now.boot);
  }
  // A reply that is not Circle's may carry some proxy's date.
  const WallTime before = circle_now(now);
  const WallTime latest = serving_time(now);
  const bool doubted = clock_.doubted();
  if (failure == nullptr && reply.server_date &&
      clock_.observe(*reply.server_date, {.at = *call.sent_at, .doubts = call.clock_doubts}, now)) {
    constexpr Duration kWorthTelling{2'000};
    const Duration skew = clock_.skew(now);
    const Duration moved = circle_now(now) - before;
    if (std::chrono::abs(moved) > kWorthTelling) clock_moved(moved, now);
    tell(std::chrono::abs(skew) > kWorthTelling ? Severity::kWarning : Severity::kDebug, "clock",
         nullptr,
         fmt::format("Circle's clock is {} ms from this machine's: tokens are judged by Circle's",
                     skew.count()));
  }
  if (doubted && !clock_.doubted()) end_doubt(latest, now);
  if (!doubted && clock_.doubted()) {
    tell(Severity::kWarning, "clock", nullptr,
         fmt::format(
             "Circle's clock may be {} ms later than it was taken for: it is asked once more",
             (serving_time(now) - circle_now(now)).count()));
  }
  if (const auto* throttled = std::get_if<Throttled>(&reply.outcome)) {
    ++counts_.throttled;
    hold_back(throttled->after, "Circle answered 429", now);
  } else if (failure != nullptr && failure->after) {
    hold_back(failure->after, "Circle's server asks for a pause", now);
  } else if (failure == nullptr) {
    throttles_ = 0;
    budget_.answered(*call.sent_at);
  }
  // What was sent with the old app token says nothing about the new one.
  const bool refused = std::holds_alternative<AppTokenRefused>(reply.outcome) ||
                       std::holds_alternative<NotEligible>(reply.outcome);
  const bool is_closed = breaker_.state() == BreakerState::kClosed;
  if (call.app_token != app_token_ && (refused || !is_closed)) return;
  trouble_.note(reply.outcome, circle_now(now));
  if (!breaker_.on_outcome(reply.outcome, call.member, now.boot, random_)) return;
  if (breaker_.state() == BreakerState::kClosed) {
    breaker_told_.clear();
    tell(Severity::kInfo, "breaker", nullptr, "Circle answers again: calls go on");
    forgive_all(now);
  } else if (breaker_told_.insert(breaker_.state()).second) {
    tell(Severity::kError, "breaker", nullptr,
         fmt::format("{}: one probe at a time from now on ({})", name_of(breaker_.state()),
                     describe(reply.outcome)));
    if (breaker_.state() != BreakerState::kFailing) answer_everybody(now);
    for (const MemberId member : failing_) replan(slots_.at(member), now);
  }
}

// Takes note of whether the token that came for a member is alive; what is not is asked for again
// after a while.
bool Engine::arrived_dead(MemberSlot& slot, const Outcome& outcome, Now now) {
  const auto* issued = std::get_if<Issued>(&outcome);
  const auto* refreshed = std::get_if<Refreshed>(&outcome);
  if (issued == nullptr && refreshed == nullptr) return false;
  const WallTime ends =
      issued != nullptr ? issued->pair.access.expires_at : refreshed->access.expires_at;
  const WallTime circle = circle_now(now);
  if (slot.record.state != MemberState::kActive) return false;
  Attempts& attempts = slot.attempts;
  attempts.dead_on_arrival = !alive(ends, circle);
  const bool held_back = dead_arrivals_.holds_back();
  switch (dead_arrivals_.on_arrival(slot.record.id, attempts.dead_on_arrival, now.boot, random_)) {
    case DeadArrivals::News::kNone:
      break;
    case DeadArrivals::News::kFirst:
      tell(Severity::kWarning, "dead_on_arrival", &slot,
           fmt::format("Circle gave an access token that had ended {} ms before it arrived",
                       (circle - ends).count()));
      break;
    case DeadArrivals::News::kAlarm:
      tell(Severity::kError, "dead_on_arrival", nullptr,
           fmt::format(
               "Circle gives several members access tokens that have ended when they arrive, "
               "the last one by {} ms: its clock or the tokens' lifetime is off",
               (circle - ends).count()));
      break;
    case DeadArrivals::News::kOver:
      tell(Severity::kInfo, "dead_on_arrival", nullptr,
           "Circle gives access tokens that live again");
      break;
  }
  take_place(slot);
  if (held_back && !dead_arrivals_.holds_back()) forgive_all(now);
  if (!attempts.dead_on_arrival) return false;
  ++counts_.failures;
  ++attempts.failures;
  attempts.retry_at = circle + dead_arrival_delay(attempts.failures, random_);
  failing_.insert(slot.record.id);
  return true;
}

std::size_t Engine::rotations_in_flight() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(calls_, [](const auto& call) { return rotates(call.second.kind); }));
}

// Several calls may be hit by one refusal: only the first lengthens the pause of the next.
void Engine::hold_back(std::optional<Duration> asked, std::string_view why, Now now) {
  const auto paused = budget_.paused_until(now.boot);
  constexpr int kDoublingsMax = 8;
  const int doublings = paused ? 0 : std::min(throttles_, kDoublingsMax);
  const Duration unasked = std::min(kThrottlePauseMax, kThrottlePauseMin * (1 << doublings));
  const Duration pause = asked.value_or(unasked);
  if (!paused) ++throttles_;
  if (paused.value_or(now.boot) < now.boot + pause) pause_until(now.boot + pause);
  tell(paused ? Severity::kDebug : Severity::kWarning, "throttled", nullptr,
       fmt::format("{}: no call for {} ms", why, pause.count()));
}

void Engine::pause_until(BootTime until) {
  budget_.pause(until);
  gathering_.mutations.emplace_back(
      PutMeta{MetaKey::kPausedBoot, static_cast<std::int64_t>(boot_)});
  gathering_.mutations.emplace_back(
      PutMeta{MetaKey::kPausedUntilMs, until.time_since_epoch().count()});
}

}  // namespace rota
