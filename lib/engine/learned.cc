#include "engine/learned.h"

#include <algorithm>
#include <variant>

namespace rota {
namespace {

// The distance of calls that are made for the sake of Circle's Date: after a reboot, and after the
// wall clock has moved. The second is short because tokens may be held back until the reply.
constexpr Duration kTimeProbeEvery = std::chrono::seconds{30};
constexpr Duration kDoubtProbeEvery = std::chrono::seconds{5};

// What this boot has learned, if it was this boot.
std::optional<Duration> offset_on_record(const Snapshot& snapshot, BootId boot) {
  if (boot == BootId{} || snapshot.meta.clock_boot != boot) return std::nullopt;
  return snapshot.meta.clock_offset;
}

}  // namespace

Learned::Learned(const Policy& policy, const Snapshot& snapshot, BootId boot, Now now)
    : refresh_ahead_(policy.refresh_ahead),
      boot_(boot),
      clock_(now, snapshot.meta.last_circle_time, snapshot.meta.clock_skew,
             offset_on_record(snapshot, boot)),
      refresh_rotates_(snapshot.meta.refresh_rotates) {
  facts_.early_refresh_useless = snapshot.meta.early_refresh_useless;
  facts_.early_probe_at =
      snapshot.meta.early_probe_at.value_or(clock_.at(now.boot) + kEarlyProbeEvery);
}

void Learned::put_clock(Now now, std::vector<Mutation>& changes) const {
  if (!clock_.confirmed()) return;
  const WallTime circle = clock_.at(now.boot);
  changes.emplace_back(PutMeta{MetaKey::kLastCircleTimeMs, circle.time_since_epoch().count()});
  changes.emplace_back(PutMeta{MetaKey::kClockSkewMs, clock_.settled_skew().count()});
  changes.emplace_back(PutMeta{MetaKey::kClockBoot, static_cast<std::int64_t>(boot_)});
  changes.emplace_back(PutMeta{MetaKey::kClockOffsetMs, clock_.offset().count()});
}

void Learned::clock_moved(WallTime circle) {
  facts_.early_probe_at = std::min(facts_.early_probe_at, circle + kEarlyProbeEvery);
}

bool Learned::lets_through(Lane lane, bool asked, BootTime now) const {
  return !traits_of(lane).brings_tokens || !clock_.doubted() || (now >= doubt_call_at_ && !asked);
}

bool Learned::wants_time_probe(bool asked, bool any_in_flight) const {
  const bool after_reboot = boot_ != BootId{} && !clock_.confirmed() && !any_in_flight;
  return after_reboot || (clock_.doubted() && !asked);
}

BootTime Learned::time_probe_at() const {
  return clock_.doubts() == probed_in_doubt_ ? time_probe_at_ : doubt_call_at_;
}

void Learned::probed_time(BootTime now) {
  time_probe_at_ = now + kTimeProbeEvery;
  probed_in_doubt_ = clock_.doubts();
}

void Learned::opened(CallKind kind, BootTime now) {
  if (clock_.doubted() && rotates(kind)) {
    time_probe_at_ = doubt_call_at_ = now + kDoubtProbeEvery;
  }
}

void Learned::note_life(const Token& token) {
  Duration& longest = token.kind == TokenKind::kRefresh ? longest_refresh_ : longest_access_;
  longest = std::max(longest, lifetime_of(token));
}

void Learned::recall(const Token& token) {
  note_life(token);
  if (token.status != TokenStatus::kCurrent) return;
  switch (token.kind) {
    case TokenKind::kAccess:
      learn_lifetime(token, CallKind::kIssue);
      break;
    case TokenKind::kRefresh:
      facts_.refresh_lifetime = std::max(facts_.refresh_lifetime, lifetime_of(token));
      break;
  }
}

Duration Learned::doubt_length(CallKind kind) const {
  const UpstreamFacts documented;
  return kind == CallKind::kIssue || refresh_rotates_
             ? std::max(longest_refresh_, documented.refresh_lifetime)
             : std::max(longest_access_, documented.access_lifetime);
}

bool Learned::note_rotation_of_refresh(const Outcome& outcome) {
  const auto* refreshed = std::get_if<Refreshed>(&outcome);
  if (refresh_rotates_ || refreshed == nullptr || !refreshed->refresh) return false;
  refresh_rotates_ = true;
  return true;
}

void Learned::note_early_refresh(const Token* access, WallTime circle) {
  if (facts_.early_refresh_useless && facts_.early_probe_at <= circle && access != nullptr &&
      circle + kEarlyMin < access->expires_at) {
    facts_.early_probe_at = circle + kEarlyProbeEvery;
  }
}

Learned::Lesson Learned::learn(CallKind kind, Progress progress, bool was_early,
                               const Token* access, const Token* refresh, WallTime circle) {
  Lesson lesson;
  if (progress == Progress::kRotated && access != nullptr) {
    const Duration before = facts_.access_lifetime;
    learn_lifetime(*access, kind);
    const Duration life = facts_.access_lifetime;
    lesson.cost_changed = life != before;
    lesson.shorter_than_ahead =
        life < before && effective_ahead(refresh_ahead_, life) != refresh_ahead_;
  }
  // The longest, for an issue may hand out a token that is some time old.
  if (refresh != nullptr) facts_.refresh_lifetime = longest_refresh_;
  if (kind != CallKind::kRefresh || !was_early) return lesson;

  const bool useless = progress == Progress::kSame;
  if (useless) {
    facts_.early_probe_at = circle + kEarlyProbeEvery;
    lesson.probe_early_at = facts_.early_probe_at;
  }
  if (useless == facts_.early_refresh_useless) return lesson;
  facts_.early_refresh_useless = useless;
  lesson.cost_changed = true;
  lesson.early_useless = useless;
  return lesson;
}

// An issue call may bring a token that is some time old, so it never makes the lifetime shorter
// once one was seen.
void Learned::learn_lifetime(const Token& access, CallKind kind) {
  const Duration life = lifetime_of(access);
  if (life <= Duration{0}) return;
  const bool counts =
      !facts_.access_lifetime_seen || kind == CallKind::kRefresh || life > facts_.access_lifetime;
  if (counts) facts_.access_lifetime = life;
  facts_.access_lifetime_seen = true;
}

}  // namespace rota
