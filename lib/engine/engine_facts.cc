#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"
#include "plan/next_action.h"

// What replies teach about Circle's clock and the life of its tokens, and when a failing member is
// tried again.

namespace rota {

void Engine::count_failure(MemberSlot& slot, Now now) {
  const WallTime circle = circle_now(now);
  const Token* access = current(slot.record, TokenKind::kAccess);
  const Duration left = access != nullptr ? access->expires_at - circle : Duration{0};
  slot.attempts.failed(facts().access_lifetime, left, circle, random_);
  members_.mark_failing(slot.record.id);
}

// After an outage no member has to wait for the end of a backoff that the outage caused. The lanes
// still go by due time.
void Engine::forgive_all(Now now) {
  for (const MemberId member : members_.take_failing()) {
    MemberSlot& slot = members_.at(member);
    if (slot.record.state == MemberState::kUnknown) continue;
    if (!slot.attempts.forgive()) members_.mark_failing(member);
    replan(slot, now);
  }
}

void Engine::learn(const MemberSlot& slot, CallKind kind, Progress progress, bool was_early,
                   Now now) {
  const Learned::Lesson lesson =
      learned_.learn(kind, progress, was_early, current(slot.record, TokenKind::kAccess),
                     current(slot.record, TokenKind::kRefresh), circle_now(now));
  if (lesson.shorter_than_ahead) {
    tell(Severity::kWarning, "refresh_ahead", nullptr,
         fmt::format("access tokens live {} ms, which is not longer than refresh_ahead: rotad "
                     "refreshes them at half their lifetime",
                     facts().access_lifetime.count()));
  }
  if (lesson.cost_changed) count_who_fits();
  if (lesson.probe_early_at) {
    outbox_.change(
        PutMeta{MetaKey::kEarlyProbeAtMs, lesson.probe_early_at->time_since_epoch().count()});
  }
  if (!lesson.early_useless) return;
  const bool useless = *lesson.early_useless;
  outbox_.change(PutMeta{MetaKey::kEarlyRefreshUseless, useless ? 1 : 0});
  tell(Severity::kWarning, "early_refresh", nullptr,
       useless ? "Circle answers an early refresh with the same token: from now on rotad refreshes "
                 "tokens when they expire"
               : "Circle gives new tokens before the old ones expire: rotad refreshes them ahead "
                 "of time again");
  for (auto& [member, other] : members_.all()) replan(other, now);
}

std::optional<Duration> Engine::next_call_in(Now now) const {
  const auto due = next_due();
  if (!due) return std::nullopt;
  const BootTime at = now.boot + std::max(Duration{0}, *due - circle_now(now));
  return std::max(at, gate_.held_back_until(now.boot)) - now.boot;
}

}  // namespace rota
