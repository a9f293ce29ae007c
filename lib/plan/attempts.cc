#include "plan/attempts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "plan/backoff.h"
#include "plan/freshness.h"

namespace rota {

WallTime Attempts::next_try(bool waiting) const {
  if (failures == 0) return WallTime{};
  // If Circle gives dead tokens, to ask again soon is of no use.
  if (!waiting || dead_on_arrival) return retry_at;
  constexpr int kDoublingsMax = 8;
  const Duration gap =
      std::min(kUrgentRetryGapMax, kUrgentRetryGap * (1 << std::min(failures - 1, kDoublingsMax)));
  return std::min(retry_at, last_at + gap);
}

WallTime Attempts::revocation_retry_at(TokenId token) const {
  const auto it = std::ranges::find(revocations, token, &Revocation::token);
  return it == revocations.end() ? WallTime{} : it->retry_at;
}

int Attempts::revocations_unheard(TokenId token) const {
  const auto it = std::ranges::find(revocations, token, &Revocation::token);
  return it == revocations.end() ? 0 : it->unheard;
}

void Attempts::answered(bool forced, WallTime now) {
  settle_by_issue = false;
  if (forced) forced_at = now;
}

void Attempts::failed(Duration access_life, Duration left, WallTime now, Random& random) {
  ++failures;
  retry_at = now + backoff_delay(failures, backoff_cap(access_life, left), random);
}

void Attempts::came_too_early(WallTime now) {
  failures = 1;
  retry_at = now + kEndSlack;
}

void Attempts::arrived_dead(WallTime now, Random& random) {
  dead_on_arrival = true;
  ++failures;
  retry_at = now + dead_arrival_delay(failures, random);
}

void Attempts::unknown_to_circle(std::optional<WallTime> since, WallTime now) {
  failures = 0;
  retry_at = now + (since ? std::min(kUnknownRetryMax, now - *since) : kUnknownRetryMin);
}

void Attempts::revocation_failed(TokenId token, bool unheard, Duration access_life, WallTime now,
                                 Random& random) {
  auto revocation = std::ranges::find(revocations, token, &Revocation::token);
  if (revocation == revocations.end()) {
    revocations.push_back({.token = token, .failures = 0, .unheard = 0, .retry_at = {}});
    revocation = std::prev(revocations.end());
  }
  ++revocation->failures;
  if (unheard) ++revocation->unheard;
  revocation->retry_at =
      now + backoff_delay(revocation->failures, backoff_cap(access_life), random);
}

void Attempts::revocation_over(TokenId token) {
  erase_if(revocations, [token](const Revocation& r) { return r.token == token; });
}

bool Attempts::forgive() {
  revocations.clear();
  if (dead_on_arrival) return false;
  failures = 0;
  return true;
}

void Attempts::forget_times() {
  const Attempts before = std::exchange(*this, {});
  settle_by_issue = before.settle_by_issue;
  refused = before.refused;
}

}  // namespace rota
