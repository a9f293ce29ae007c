#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"
#include "model/expiry.h"
#include "plan/identity.h"

// Circle's time: when to ask for it, and what follows if our idea of it was wrong.

namespace rota {

void Engine::on_wall_step(Now now, Commands& out) { pump(now, out); }

// Looks at both clocks, before an event is handled.
void Engine::look_at_clocks(Now now) {
  const WallTime before = circle_now(now);
  if (learned_.clock().follow_wall(now)) {
    tell(Severity::kWarning, "clock", nullptr,
         "this machine's clock was set: rotad takes Circle's time from it until Circle's first "
         "reply");
    clock_moved(circle_now(now) - before, now);
  }
  if (!learned_.clock().look(now)) return;
  tell(Severity::kWarning, "clock", nullptr,
       fmt::format("this machine's clock was changed by {} ms, or the machine was suspended: rotad "
                   "asks Circle for the time at once, and until Circle answers it serves no token "
                   "that may have expired",
                   (clock().settled_skew() - clock().skew(now)).count()));
}

// Whether a call is in flight, or about to be sent, whose reply settles what time it is at Circle.
bool Engine::has_asked_for_time() const {
  return std::ranges::any_of(gate_.calls(), [this](const auto& call) {
    const CallState& state = call.second;
    return rotates(state.kind) && (!state.sent_at || clock().settles(state.clock_doubts));
  });
}

bool Engine::wants_time_probe() const {
  return learned_.wants_time_probe(has_asked_for_time(), gate_.in_flight() > 0);
}

// The refresh that asks for the time: the one that is due first. If none is planned, because all
// members are refreshed on demand, any that is possible.
std::optional<Engine::DueCall> Engine::time_probe(Now now) const {
  if (const auto first = schedule_.first(Lane::kRefresh)) {
    const auto planned = plan_of(members_.at(first->member), now).calls[index_of(Lane::kRefresh)];
    return planned ? std::optional(DueCall{first->member, *planned}) : std::nullopt;
  }
  const WallTime circle = circle_now(now);
  for (const auto& [member, slot] : members_.all()) {
    const Token* refresh = current(slot.record, TokenKind::kRefresh);
    const Attempts& attempts = slot.attempts;
    if (slot.record.state != MemberState::kActive || slot.in_flight || refresh == nullptr ||
        !alive(refresh->expires_at, circle) || has_unresolved_name(slot.record) ||
        attempts.settle_by_issue || attempts.retry_at > circle ||
        attempts.throttled_until > circle || slot.record.signed_out_at != WallTime{}) {
      continue;
    }
    return DueCall{
        member,
        {.kind = CallKind::kRefresh, .lane = Lane::kRefresh, .due = circle, .token = refresh->id}};
  }
  return std::nullopt;
}

void Engine::probe_time(Now now) {
  if (!wants_time_probe() || now.boot < learned_.time_probe_at()) return;
  if (lacks_quota_only(Lane::kRefresh, now)) wanted_.at(index_of(CallClass::kRefresh)) = 1;
  if (!may_send(Lane::kRefresh, now)) return;
  learned_.probed_time(now.boot);
  if (const auto probe = time_probe(now)) start_call(members_.at(probe->member), probe->call, now);
}

// `latest`: the time by which tokens were judged until this reply. Tokens that it held back are
// served again, and watches get them once more.
void Engine::end_doubt(WallTime latest, Now now) {
  const WallTime circle = circle_now(now);
  for (auto& [member, slot] : members_.all()) {
    const Token* access = current(slot.record, TokenKind::kAccess);
    const bool held_back = access != nullptr && !alive(access->expires_at, latest) &&
                           alive(access->expires_at, circle);
    if (held_back) publish(slot);
    const auto waiters = slot.waiters;
    for (const WaitId wait : waiters) answer_if_served(wait, slot, now);
    if (!waiters.empty()) replan(slot, now);
  }
}

// Our idea of Circle's clock was wrong: times that were set by it are set again.
void Engine::clock_moved(Duration by, Now now) {
  if (by > Duration{0}) journal_.postpone_doubts(by, outbox_.changes());
  const WallTime circle = circle_now(now);
  learned_.clock_moved(circle);
  (void)members_.take_failing();
  gate_.forget_arrivals();
  for (auto& [member, slot] : members_.all()) {
    slot.attempts.forget_times();
    slot.record.state_since = std::min(slot.record.state_since, circle);
    slot.record.last_used = std::min(slot.record.last_used, circle);
    // Its client may have come just now, by a clock that was far behind: it is not idle.
    if (by > Duration{0} && (!slot.waiters.empty() || slot.in_flight)) {
      slot.record.last_used = circle;
      want_use_recorded(slot, now);
    }
    slot.in_use_since = std::min(slot.in_use_since, circle);
    for (Selector& name : slot.record.selectors) {
      name.resolved_at = std::min(name.resolved_at, circle);
      for (Enrolment& enrolment : name.enrolments) {
        enrolment.since = std::min(enrolment.since, circle);
      }
    }
    for (Token& token : slot.record.tokens) token.issued_at = std::min(token.issued_at, circle);
    members_.forget_count(slot);
    recount(slot);
    replan(slot, now);
  }
}

}  // namespace rota
