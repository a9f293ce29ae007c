#include "plan/freshness.h"

#include <algorithm>

#include "base/random.h"

namespace rota {

Duration effective_ahead(Duration ahead, Duration lifetime) {
  return ahead < lifetime ? ahead : lifetime / 2;
}

WallTime refresh_due(const Token& access, const Policy& policy, const UpstreamFacts& facts,
                     std::uint64_t seed) {
  const Duration ahead = effective_ahead(policy.refresh_ahead, lifetime_of(access));
  const WallTime due = access.expires_at - ahead;
  Random random(seed ^ (static_cast<std::uint64_t>(access.id) * 0x9E3779B97F4A7C15U));
  const auto span = std::chrono::duration_cast<Duration>(ahead * policy.jitter);
  const WallTime early = due - std::min(random.up_to(span), (due - access.issued_at) / 2);
  // One early refresh a day is let through as the probe.
  return facts.early_refresh_useless && early < facts.early_probe_at ? end_refresh_at(access)
                                                                     : early;
}

WallTime renewal_due(const Token& refresh, const Policy& policy) {
  return refresh.expires_at - effective_ahead(policy.renew_pair_ahead, lifetime_of(refresh));
}

Duration forced_refresh_gap(Duration lifetime) { return std::min(kForcedRefreshGap, lifetime / 4); }

Duration effective_min_ttl(std::optional<Duration> asked, Duration lifetime) {
  const Duration wanted = asked.value_or(std::min(kDefaultMinTtl, lifetime / 2));
  return std::min(wanted, lifetime - forced_refresh_gap(lifetime));
}

}  // namespace rota
