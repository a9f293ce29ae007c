#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/expiry.h"
#include "plan/identity.h"
#include "rotator/engine.h"

// Circle's time: when it is asked for, and what follows when it is not what it was taken for.

namespace rota {
namespace {

// The distance of calls that are made for the sake of Circle's Date: after a reboot, and after the
// wall clock has moved. The second is short because tokens may be held back until the reply.
constexpr Duration kClockProbeEvery = std::chrono::seconds{30};
constexpr Duration kDoubtProbeEvery = std::chrono::seconds{5};

}  // namespace

void Engine::on_wall_step(Now now, Commands& out) { pump(now, out); }

// Both clocks are looked at before anything is made of an event.
void Engine::look_at_clocks(Now now) {
  const WallTime before = circle_now(now);
  if (clock_.follow_wall(now)) {
    tell(Severity::kWarning, "clock", nullptr,
         "this machine's clock was set: Circle's time is taken from it until Circle's first reply");
    clock_moved(circle_now(now) - before, now);
  }
  if (!clock_.look(now)) return;
  tell(Severity::kWarning, "clock", nullptr,
       fmt::format("this machine's clock was set by {} ms, or the machine stood still: Circle is "
                   "asked at once, and no token that may have ended is served before it answers",
                   (clock_.settled_skew() - clock_.skew(now)).count()));
}

// Whether a call is on its way, or about to be, whose reply settles what Circle's time is.
bool Engine::has_asked_for_time() const {
  return std::ranges::any_of(calls_, [this](const auto& call) {
    const CallState& state = call.second;
    return rotates(state.kind) && (!state.sent_at || clock_.settles(state.clock_doubts));
  });
}

// While Circle's time is in doubt, calls that bring tokens go out one at a time and at a distance:
// the first reply shows most of them to be unnecessary, and a wall clock that is set again and
// again costs no call each.
bool Engine::doubt_lets_through(Lane lane, BootTime now) const {
  return !brings_tokens(lane) || !clock_.doubted() ||
         (now >= clock_probe_at_ && !has_asked_for_time());
}

bool Engine::wants_clock_probe() const {
  const bool after_reboot = boot_ != BootId{} && !clock_.confirmed() && calls_.empty();
  return after_reboot || (clock_.doubted() && !has_asked_for_time());
}

// Whose refresh is to tell the time: the one that is due first; if none is planned, since all are
// refreshed on demand, any that can be made.
std::optional<std::pair<MemberId, PlannedCall>> Engine::clock_probe(Now now) const {
  const Queue& lane = lanes_[index_of(Lane::kRefresh)];
  if (!lane.empty()) {
    const MemberId member = lane.begin()->second;
    const auto planned = plan_of(slots_.at(member), now).calls[index_of(Lane::kRefresh)];
    return planned ? std::optional(std::pair(member, *planned)) : std::nullopt;
  }
  const WallTime circle = circle_now(now);
  for (const auto& [member, slot] : slots_) {
    const Token* refresh = current(slot.record, TokenKind::kRefresh);
    const Attempts& attempts = slot.attempts;
    if (slot.record.state != MemberState::kActive || slot.in_flight || refresh == nullptr ||
        !alive(refresh->expires_at, circle) || has_unresolved_name(slot.record) ||
        attempts.settle_by_issue || attempts.retry_at > circle ||
        attempts.throttled_until > circle) {
      continue;
    }
    return std::pair(member, PlannedCall{.kind = CallKind::kRefresh,
                                         .lane = Lane::kRefresh,
                                         .due = circle,
                                         .token = refresh->id});
  }
  return std::nullopt;
}

// After a reboot the wall clock may be wrong, and with nothing due for an hour expired tokens would
// be served by it: the refresh that is due first is made at once, for the sake of its Date. The
// same after the wall clock has moved, for then the machine may have stood still.
void Engine::probe_clock(Now now) {
  if (!wants_clock_probe() || now.boot < clock_probe_at_ || !may_send(Lane::kRefresh, now)) return;
  clock_probe_at_ = now.boot + kClockProbeEvery;
  if (const auto probe = clock_probe(now)) start_call(slots_.at(probe->first), probe->second, now);
}

void Engine::note_asked_for_time(CallKind kind, Now now) {
  if (clock_.doubted() && rotates(kind)) clock_probe_at_ = now.boot + kDoubtProbeEvery;
}

// `latest`: the time that tokens were judged by until this reply. What it held back is served on,
// and told to watches once more.
void Engine::end_doubt(WallTime latest, Now now) {
  const WallTime circle = circle_now(now);
  for (auto& [member, slot] : slots_) {
    const Token* access = current(slot.record, TokenKind::kAccess);
    const bool held_back = access != nullptr && !alive(access->expires_at, latest) &&
                           alive(access->expires_at, circle);
    if (held_back) publish(slot);
    const auto waiters = slot.waiters;
    for (const WaitId wait : waiters) answer_if_served(wait, slot, now);
    if (!waiters.empty()) replan(slot, now);
  }
}

// Circle's clock was not what we took it for: what was counted by it starts anew.
void Engine::clock_moved(Duration by, Now now) {
  if (by > Duration{0}) journal_.postpone_doubts(by, gathering_.mutations);
  const WallTime circle = circle_now(now);
  facts_.early_probe_at = std::min(facts_.early_probe_at, circle + kEarlyProbeEvery);
  failing_.clear();
  dead_arrivals_ = {};
  for (auto& [member, slot] : slots_) {
    const Attempts before = std::exchange(slot.attempts, {});
    slot.attempts.settle_by_issue = before.settle_by_issue;
    slot.attempts.refused = before.refused;
    slot.record.state_since = std::min(slot.record.state_since, circle);
    slot.record.last_used = std::min(slot.record.last_used, circle);
    slot.in_use_since = std::min(slot.in_use_since, circle);
    for (Selector& name : slot.record.selectors) {
      name.resolved_at = std::min(name.resolved_at, circle);
    }
    for (Token& token : slot.record.tokens) token.issued_at = std::min(token.issued_at, circle);
    take_place(slot);
    replan(slot, now);
  }
}

}  // namespace rota
