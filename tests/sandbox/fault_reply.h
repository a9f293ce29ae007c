#pragma once

#include <chrono>

#include "base/time.h"
#include "sandbox/endpoint.h"
#include "sandbox/fault.h"
#include "sandbox/reply.h"

namespace rota::sandbox {

// What a `throttle` fault asks for where Retry-After is on.
inline constexpr Duration kFaultThrottle = std::chrono::seconds{1};
// And how long one of an unavailable server.
inline constexpr std::chrono::seconds kFaultUnavailable{20};

// True for the faults that stand in for the call, so that it has no effect.
bool happens_in_place(FaultKind kind);

// The reply of such a fault. kThrottle has no Retry-After here.
Reply reply_in_place(FaultKind kind, Endpoint endpoint, WallTime now);

// Damages the right answer as the other faults do. False when that keeps it from the client.
bool spoil(FaultKind kind, Reply& reply);

}  // namespace rota::sandbox
