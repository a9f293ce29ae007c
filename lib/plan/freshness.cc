#include "plan/freshness.h"

#include <algorithm>

#include "base/random.h"

namespace rota {
namespace {

// A lifetime is known to about a second, so one that is barely above the lead does not count as
// longer.
constexpr Duration kLifetimeNoiseMax{5'000};
constexpr int kLifetimeNoiseShare = 20;

}  // namespace

Duration effective_ahead(Duration ahead, Duration lifetime) {
  const Duration noise = std::min(kLifetimeNoiseMax, lifetime / kLifetimeNoiseShare);
  return ahead < lifetime - noise ? ahead : lifetime / 2;
}

namespace {

// The most by which jitter makes a refresh earlier.
Duration jitter_span(const Policy& policy, Duration ahead) {
  return std::chrono::duration_cast<Duration>(ahead * policy.jitter);
}

}  // namespace

WallTime refresh_due(const Token& access, const Policy& policy, const UpstreamFacts& facts,
                     std::uint64_t seed) {
  const Duration ahead = effective_ahead(policy.refresh_ahead, lifetime_of(access));
  const WallTime due = access.expires_at - ahead;
  Random random(seed ^ (static_cast<std::uint64_t>(access.id) * 0x9E3779B97F4A7C15U));
  const WallTime early =
      due - std::min(random.up_to(jitter_span(policy, ahead)), (due - access.issued_at) / 2);
  // One early refresh a day still goes out, as a probe.
  return facts.early_refresh_useless && early < facts.early_probe_at ? end_refresh_at(access)
                                                                     : early;
}

Duration refresh_interval(const Policy& policy, const UpstreamFacts& facts) {
  const Duration life = facts.access_lifetime;
  if (facts.early_refresh_useless) return life + kEndSlack;
  const Duration ahead = effective_ahead(policy.refresh_ahead, life);
  const Duration use = life - ahead;
  return std::max(Duration{1}, use - std::min(jitter_span(policy, ahead), use) / 2);
}

std::size_t members_that_fit(std::size_t calls_per_window, const Policy& policy,
                             const UpstreamFacts& facts) {
  const double calls_per_interval = static_cast<double>(calls_per_window) *
                                    static_cast<double>(refresh_interval(policy, facts).count()) /
                                    static_cast<double>(policy.window.count());
  // The life that a superseded token has left; it is revoked if it does not end by itself first.
  const Duration left = facts.early_refresh_useless
                            ? Duration{0}
                            : facts.access_lifetime - refresh_interval(policy, facts);
  const bool revokes = policy.revoke_superseded_after && *policy.revoke_superseded_after < left;
  constexpr double kCallsOfARotation = 2;
  return static_cast<std::size_t>(calls_per_interval / (revokes ? kCallsOfARotation : 1));
}

WallTime renewal_due(const Token& refresh, const Policy& policy) {
  return refresh.expires_at - effective_ahead(policy.renew_pair_ahead, lifetime_of(refresh));
}

Duration forced_refresh_gap(Duration lifetime) { return std::min(kForcedRefreshGap, lifetime / 4); }

Duration effective_min_ttl(std::optional<Duration> asked, Duration lifetime) {
  const Duration wanted = asked.value_or(std::min(kDefaultMinTtl, lifetime / 2));
  return std::min(wanted, min_ttl_max(lifetime));
}

Duration min_ttl_max(Duration lifetime) { return lifetime - forced_refresh_gap(lifetime); }

Duration required_life(std::optional<Duration> asked, bool strict, Duration lifetime) {
  return strict && asked ? *asked : effective_min_ttl(asked, lifetime);
}

}  // namespace rota
