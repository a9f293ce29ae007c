#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plan/backoff.h"
#include "plan/freshness.h"
#include "plan/next_action.h"
#include "rotator/engine.h"

// What replies teach: about Circle's clock, about the tokens' life, and when a failing member is
// tried again.

namespace rota {

void Engine::count_failure(MemberSlot& slot, Now now) {
  Attempts& attempts = slot.attempts;
  const WallTime circle = circle_now(now);
  const Token* access = current(slot.record, TokenKind::kAccess);
  const Duration left = access != nullptr ? access->expires_at - circle : Duration{0};
  ++attempts.failures;
  attempts.retry_at =
      circle + backoff_delay(attempts.failures, backoff_cap(facts_.access_lifetime, left), random_);
  failing_.insert(slot.record.id);
}

// After an outage nobody waits out a backoff that the outage earned; the lanes still go by
// deadline.
void Engine::forgive_all(Now now) {
  for (const MemberId member : std::exchange(failing_, {})) {
    MemberSlot& slot = slots_.at(member);
    if (slot.record.state == MemberState::kUnknown) continue;
    slot.attempts.revocations.clear();
    if (slot.attempts.dead_on_arrival) {
      failing_.insert(member);  // Circle does answer it: the next token may be no better (P7)
    } else {
      slot.attempts.failures = 0;
    }
    replan(slot, now);
  }
}

void Engine::learn(const MemberSlot& slot, const CallState& call, Progress progress, bool was_early,
                   Now now) {
  const Token* access = current(slot.record, TokenKind::kAccess);
  const Token* refresh = current(slot.record, TokenKind::kRefresh);
  if (progress == Progress::kRotated && access != nullptr) {
    const Duration before = facts_.access_lifetime;
    learn_lifetime(*access, call.kind);
    const Duration life = facts_.access_lifetime;
    if (life < before && effective_ahead(policy_.refresh_ahead, life) != policy_.refresh_ahead) {
      tell(Severity::kWarning, "refresh_ahead", nullptr,
           fmt::format(
               "access tokens live {} ms, no longer than refresh_ahead: they are refreshed at "
               "half their life",
               life.count()));
    }
    upkeep_.set_capacity(members_that_fit(budget_.background_limit(), policy_, facts_));
  }
  // The longest, for an issue may hand out a token that is some time old.
  if (refresh != nullptr) facts_.refresh_lifetime = longest_refresh_;
  if (call.kind != CallKind::kRefresh || !was_early) return;

  const bool useless = progress == Progress::kSame;
  if (useless) {
    facts_.early_probe_at = circle_now(now) + kEarlyProbeEvery;
    gathering_.mutations.emplace_back(
        PutMeta{MetaKey::kEarlyProbeAtMs, facts_.early_probe_at.time_since_epoch().count()});
  }
  if (useless == facts_.early_refresh_useless) return;
  facts_.early_refresh_useless = useless;
  gathering_.mutations.emplace_back(PutMeta{MetaKey::kEarlyRefreshUseless, useless ? 1 : 0});
  tell(Severity::kWarning, "early_refresh", nullptr,
       useless ? "Circle answers an early refresh with the token that it gave before: tokens are "
                 "refreshed at their end from now on"
               : "Circle gives new tokens before the old ones end: they are refreshed ahead again");
  upkeep_.set_capacity(members_that_fit(budget_.background_limit(), policy_, facts_));
  for (auto& [member, other] : slots_) replan(other, now);
}

// An issue call may bring a token that is some time old, so it never makes the lifetime shorter
// once one was seen.
void Engine::learn_lifetime(const Token& access, CallKind kind) {
  const Duration life = lifetime_of(access);
  if (life <= Duration{0}) return;
  const bool counts =
      !facts_.access_lifetime_seen || kind == CallKind::kRefresh || life > facts_.access_lifetime;
  if (counts) facts_.access_lifetime = life;
  facts_.access_lifetime_seen = true;
}

std::optional<Duration> Engine::next_call_in(Now now) const {
  const auto due = next_due();
  if (!due) return std::nullopt;
  BootTime at = now.boot + std::max(Duration{0}, *due - circle_now(now));
  if (const auto probe = breaker_.probe_at(false)) at = std::max(at, *probe);
  if (const auto paused = budget_.paused_until(now.boot)) at = std::max(at, *paused);
  return at - now.boot;
}

}  // namespace rota
