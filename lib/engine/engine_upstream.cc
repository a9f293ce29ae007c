#include <fmt/format.h>

#include <string>

#include "engine/engine.h"
#include "model/expiry.h"
#include "plan/identity.h"

// What a reply does to the state of the upstream: budget, pauses, breaker, and Circle's clock.

namespace rota {
namespace {

// A token counts as dead a little before its end.
std::string life_left(WallTime ends, WallTime now) {
  if (ends > now) return fmt::format("had only {} ms left", (ends - now).count());
  return fmt::format("had expired {} ms before", (now - ends).count());
}

}  // namespace

void Engine::note_upstream(const CallState& call, const Reply& reply, Now now) {
  ++counts_.calls.at(static_cast<std::size_t>(call.kind)).at(reply.outcome.index());
  if (std::holds_alternative<Throttled>(reply.outcome)) ++counts_.throttled;
  hear_date(call, reply, now);
  const BreakerState before = gate_.breaker().state();
  const CallGate::Heard heard =
      gate_.heard(call, reply.outcome, now.boot, circle_now(now), random_);
  if (heard.pause) tell_pause(*heard.pause, reply.outcome);
  switch (heard.breaker) {
    case CallGate::BreakerNews::kNone:
      return;
    case CallGate::BreakerNews::kClosed:
      tell(Severity::kInfo, "breaker", nullptr, "Circle answers again: calls resume");
      note(before == BreakerState::kAppTokenRefused ? AuditEvent::kAppTokenAccepted
                                                    : AuditEvent::kBreakerClosed,
           nullptr);
      forgive_all(now);
      return;
    case CallGate::BreakerNews::kOpened:
      tell(Severity::kError, "breaker", nullptr,
           fmt::format("{}: one probe at a time from now on ({})", name_of(gate_.breaker().state()),
                       describe(reply.outcome)));
      note_opened();
      if (gate_.refused_as_a_whole()) answer_everybody(now);
      for (const MemberId member : members_.failing()) replan(members_.at(member), now);
      return;
    case CallGate::BreakerNews::kOpenedAgain:
      return;
  }
}

// The words of the trouble are for everybody: those of the outcome may quote Circle.
void Engine::note_opened() {
  const BreakerState state = gate_.breaker().state();
  if (state == BreakerState::kAppTokenRefused) return note(AuditEvent::kAppTokenRefused, nullptr);
  note(AuditEvent::kBreakerOpened, nullptr,
       gate_.trouble() ? gate_.trouble()->words : std::string(name_of(state)));
}

void Engine::hear_date(const CallState& call, const Reply& reply, Now now) {
  // A reply that is not from Circle may have the date of a proxy.
  const WallTime before = circle_now(now);
  const WallTime latest = serving_time(now);
  const bool doubted = clock().doubted();
  if (transient(reply.outcome) == nullptr && reply.server_date &&
      learned_.clock().observe(*reply.server_date,
                               {.at = *call.sent_at, .doubts = call.clock_doubts}, now)) {
    const Duration skew = clock().skew(now);
    const Duration moved = circle_now(now) - before;
    if (std::chrono::abs(moved) > kClockNoise) clock_moved(moved, now);
    tell(std::chrono::abs(skew) > kClockNoise ? Severity::kWarning : Severity::kDebug, "clock",
         nullptr,
         fmt::format("Circle's clock differs from this machine's by {} ms: rotad judges tokens by "
                     "Circle's clock",
                     skew.count()));
  }
  if (doubted && !clock().doubted()) end_doubt(latest, now);
  if (!doubted && clock().doubted()) {
    tell(Severity::kWarning, "clock", nullptr,
         fmt::format(
             "Circle's clock may be {} ms ahead of what rotad assumed: rotad asks Circle once more",
             (serving_time(now) - circle_now(now)).count()));
  }
}

void Engine::tell_pause(const CallGate::Pause& pause, const Outcome& outcome) {
  if (pause.until) put_pause(*pause.until);
  tell(pause.is_first ? Severity::kWarning : Severity::kDebug, "throttled", nullptr,
       fmt::format("{}: no call for {} ms",
                   std::holds_alternative<Throttled>(outcome) ? "Circle answered 429"
                                                              : "Circle's server asks for a pause",
                   pause.length.count()));
}

void Engine::put_pause(BootTime until) {
  outbox_.change(PutMeta{MetaKey::kPausedBoot, static_cast<std::int64_t>(boot_)});
  outbox_.change(PutMeta{MetaKey::kPausedUntilMs, until.time_since_epoch().count()});
}

// Notes whether the token that came for a member is alive. If it is not, another is asked for after
// a while. True: it is dead.
bool Engine::arrived_dead(MemberSlot& slot, const Outcome& outcome, Now now) {
  const auto* issued = std::get_if<Issued>(&outcome);
  const auto* refreshed = std::get_if<Refreshed>(&outcome);
  if (issued == nullptr && refreshed == nullptr) return false;
  const WallTime ends =
      issued != nullptr ? issued->pair.access.expires_at : refreshed->access.expires_at;
  const WallTime circle = circle_now(now);
  if (slot.record.state != MemberState::kActive) return false;
  const bool dead = !alive(ends, circle);
  const CallGate::Arrival arrival = gate_.arrived(slot.record.id, dead, now.boot, random_);
  switch (arrival.news) {
    case DeadArrivals::News::kNone:
      break;
    case DeadArrivals::News::kFirst:
      tell(Severity::kWarning, "dead_on_arrival", &slot,
           fmt::format("Circle gave an access token that {} when it arrived",
                       life_left(ends, circle)));
      break;
    case DeadArrivals::News::kAlarm:
      tell(
          Severity::kError, "dead_on_arrival", nullptr,
          fmt::format(
              "Circle gives several members access tokens that have already expired when they "
              "arrive, or are about to: the last one {}. Circle's clock or the tokens' lifetime is "
              "wrong",
              life_left(ends, circle)));
      break;
    case DeadArrivals::News::kOver:
      tell(Severity::kInfo, "dead_on_arrival", nullptr,
           "Circle's access tokens are alive on arrival again");
      break;
  }
  if (dead) {
    ++counts_.failures;
    slot.attempts.arrived_dead(circle, random_);
    members_.mark_failing(slot.record.id);
  } else {
    slot.attempts.arrived_alive();
  }
  recount(slot);
  if (arrival.released) forgive_all(now);
  return dead;
}

}  // namespace rota
