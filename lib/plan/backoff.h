#pragma once

#include "base/random.h"
#include "base/time.h"

namespace rota {

inline constexpr Duration kBackoffBase{500};
inline constexpr Duration kBackoffFloor{
    50};  // full jitter may draw zero; two calls a moment apart help nobody
inline constexpr Duration kBackoffCap = std::chrono::minutes{5};
inline constexpr Duration kBackoffCapMin{2'000};
// Between two calls of a member that each brought a token that had ended.
inline constexpr Duration kDeadArrivalGapMin{10'000};
inline constexpr Duration kDeadArrivalGapMax{60'000};

// Exponential backoff with full jitter: uniform up to base·2^(failures−1), at most `cap`.
Duration backoff_delay(int failures, Duration cap, Random& random);

// The cap for a member whose access tokens live this long: an eighth of that, within kBackoffCapMin
// and kBackoffCap, so that short-lived tokens get several tries before they end.
Duration backoff_cap(Duration token_lifetime);
// The same for a member whose token has `left` to live: half of that at most, so that the tries
// grow denser towards the end and nobody waits out there what an outage earned before.
Duration backoff_cap(Duration token_lifetime, Duration left);

// How long to wait after so many tokens in a row that were dead on arrival.
Duration dead_arrival_delay(int arrivals, Random& random);

}  // namespace rota
