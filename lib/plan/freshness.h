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
  bool early_refresh_useless = false;  // an early refresh brings the token that was there already
  WallTime early_probe_at;             // when to ask next whether that still holds
  Duration access_lifetime = std::chrono::hours{1};  // of a new access token
  bool access_lifetime_seen = false;                 // that is not the documented one any more
  Duration refresh_lifetime = std::chrono::days{31};
};

// Nearer to a token's end than this, the old one may still come back once, which proves nothing.
inline constexpr Duration kEarlyMin{3'000};
inline constexpr Duration kEarlyProbeEvery = std::chrono::days{1};
inline constexpr Duration kDefaultMinTtl = std::chrono::seconds{60};
inline constexpr Duration kForcedRefreshGap = std::chrono::seconds{10};

inline Duration lifetime_of(const Token& token) { return token.expires_at - token.issued_at; }

// When to ask again where Circle gives nothing new before a token's end: our idea of its clock is
// good to about a second.
inline constexpr Duration kEndSlack{1'000};
inline WallTime end_refresh_at(const Token& access) { return access.expires_at + kEndSlack; }

// The configured lead, or half the lifetime where the lead is not less than the lifetime (within 5
// s or a twentieth).
Duration effective_ahead(Duration ahead, Duration lifetime);

// When a current access token is due for refresh: `refresh_ahead` before its end, pulled earlier by
// a jitter that is a function of seed and token, so that a restart plans the same moment.
WallTime refresh_due(const Token& access, const Policy& policy, const UpstreamFacts& facts,
                     std::uint64_t seed);

// The mean time from one refresh of a member to the next.
Duration refresh_interval(const Policy& policy, const UpstreamFacts& facts);

// How many members the background can keep fresh ahead of time with this many calls a window.
std::size_t members_that_fit(std::size_t calls_per_window, const Policy& policy,
                             const UpstreamFacts& facts);

// When a pair is due for renewal, by its refresh token alone.
WallTime renewal_due(const Token& refresh, const Policy& policy);

// How far apart forced refreshes of one member are: 10 s, or a quarter of a lifetime shorter than
// 40 s.
Duration forced_refresh_gap(Duration lifetime);

// The life that a fetch asks of a token of this lifetime: by default 60 s or half the lifetime, and
// never more than a new token can have. "New" is one younger than forced_refresh_gap(), so that no
// client can burn the budget by asking for more.
Duration effective_min_ttl(std::optional<Duration> asked, Duration lifetime);

// The most life that a token of this lifetime can be asked to have.
Duration min_ttl_max(Duration lifetime);

// The same as effective_min_ttl(), but a strict request gets what it asked for or nothing.
Duration required_life(std::optional<Duration> asked, bool strict, Duration lifetime);

}  // namespace rota
