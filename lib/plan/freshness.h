#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "model/record.h"
#include "plan/policy.h"

namespace rota {

// What Rota has learned about the upstream as a whole.
struct UpstreamFacts {
  bool early_refresh_useless = false;  // an early refresh brings the token that we already have
  WallTime early_probe_at;             // when to ask next whether that still holds
  Duration access_lifetime = std::chrono::hours{1};  // of a new access token
  bool access_lifetime_seen = false;                 // that comes from a reply, not from the docs
  Duration refresh_lifetime = std::chrono::days{31};
};

// If a refresh this close to the token's end brings the old token, that proves nothing.
inline constexpr Duration kEarlyMin{3'000};
inline constexpr Duration kEarlyProbeEvery = std::chrono::days{1};
inline constexpr Duration kDefaultMinTtl = std::chrono::seconds{60};
inline constexpr Duration kForcedRefreshGap = std::chrono::seconds{10};

inline Duration lifetime_of(const Token& token) { return token.expires_at - token.issued_at; }

// When to refresh if Circle gives nothing new before a token's end. Our idea of Circle's clock is
// good to about a second.
inline constexpr Duration kEndSlack{1'000};
inline WallTime end_refresh_at(const Token& access) { return access.expires_at + kEndSlack; }

// The configured lead. If that is not clearly less than the lifetime (by 5 s, or by a twentieth of
// the lifetime if that is less), half the lifetime.
Duration effective_ahead(Duration ahead, Duration lifetime);

// When a current access token is due for refresh: `refresh_ahead` before its end, and earlier by a
// jitter. The jitter is a function of `seed` and the token's id, so a restart with the same seed
// plans the same time. If early refreshes are useless, end_refresh_at(), but for one probe a day.
WallTime refresh_due(const Token& access, const Policy& policy, const UpstreamFacts& facts,
                     std::uint64_t seed);

// The mean time from one refresh of a member to the next.
Duration refresh_interval(const Policy& policy, const UpstreamFacts& facts);

// How many members `calls_per_window` calls can keep fresh ahead of time. A rotation counts as two
// calls if the token that it replaces must be revoked.
std::size_t members_that_fit(std::size_t calls_per_window, const Policy& policy,
                             const UpstreamFacts& facts);

// When a pair is due for renewal, going by its refresh token only.
WallTime renewal_due(const Token& refresh, const Policy& policy);

// How far apart forced refreshes of one member are: 10 s, or a quarter of a lifetime shorter than
// 40 s.
Duration forced_refresh_gap(Duration lifetime);

// How much life a fetch asks for, of a token of this lifetime: `asked` or, by default, 60 s or half
// the lifetime, whichever is less; never more than min_ttl_max().
Duration effective_min_ttl(std::optional<Duration> asked, Duration lifetime);

// The most life that a fetch can ask for: what a token has left at the age of forced_refresh_gap().
// So no client can burn the budget by asking for more than a new token has.
Duration min_ttl_max(Duration lifetime);

// The same as effective_min_ttl(), but a strict request asks for exactly `asked`, even if no token
// can have that much.
Duration required_life(std::optional<Duration> asked, bool strict, Duration lifetime);

}  // namespace rota
