#pragma once

#include "base/random.h"
#include "base/time.h"

namespace rota {

inline constexpr Duration kBackoffBase{500};
inline constexpr Duration kBackoffFloor{
    50};  // full jitter may draw zero, and a second call a moment later would not help
inline constexpr Duration kBackoffCap = std::chrono::minutes{5};
inline constexpr Duration kBackoffCapMin{2'000};
// The time between two calls of a member that each brought a token that was dead on arrival.
inline constexpr Duration kDeadArrivalGapMin{10'000};
inline constexpr Duration kDeadArrivalGapMax{60'000};

// Exponential backoff with full jitter: uniform up to kBackoffBase·2^(failures−1) or `cap`, if that
// is less, and at least kBackoffFloor.
Duration backoff_delay(int failures, Duration cap, Random& random);

// The cap for a member whose access tokens live this long: an eighth of that, within kBackoffCapMin
// and kBackoffCap, so that short-lived tokens get several tries before they end.
Duration backoff_cap(Duration token_lifetime);
// The same for a member whose token has `left` to live: at most half of that, so that tries come
// closer together towards the token's end, but at least kBackoffCapMin. If no life is left, the cap
// above.
Duration backoff_cap(Duration token_lifetime, Duration left);

// How long a member waits after this many tokens in a row that were dead on arrival: a backoff
// between kDeadArrivalGapMin and kDeadArrivalGapMax.
Duration dead_arrival_delay(int arrivals, Random& random);

}  // namespace rota
