#pragma once

#include <chrono>
#include <cstddef>
#include <limits>

#include "base/time.h"

namespace rota {

// What one client can make the daemon hold or do (P11). Sizes are fixed; times and connection
// counts are options, so that tests can make them small.

inline constexpr std::size_t kRequestHeadBytesMax = 8 * 1024;
// A route that takes no body ignores it. It is read anyway, so that the next request is found.
inline constexpr std::size_t kRequestBodyBytesMax = 4 * 1024;
// What a body in chunks may have besides: sizes, extensions, line ends and trailers.
inline constexpr std::size_t kChunkFramingBytesMax = 4 * 1024;
// What a connection has received and not consumed: room for any one request, or many small ones.
inline constexpr std::size_t kInputBytesMax = 16 * 1024;
static_assert(kInputBytesMax >=
              kRequestHeadBytesMax + kRequestBodyBytesMax + kChunkFramingBytesMax);
// What one connection may read before the others that are ready. A longer request takes several
// reads.
inline constexpr std::size_t kReceiveBytesMax = 4 * 1024;
// Rendered and not sent yet: above this no further request is taken and no further reply rendered.
inline constexpr std::size_t kOutputBytesMax = 64 * 1024;
// An empty output buffer that grew past this gives its memory back.
inline constexpr std::size_t kOutputBytesKept = 16 * 1024;

inline constexpr std::size_t kRequestsReadAheadMax = 64;
inline constexpr std::size_t kWaitsPerConnectionMax = 16;

// How many members one watch may name. A watch takes over its connection, so there are no more
// watches than connections.
inline constexpr std::size_t kWatchKeysMax = 64;
// How many members one watch looks at before the loop does its other work.
inline constexpr std::size_t kWatchMembersPerTurn = 1'024;
// How long the loop serves connections, or accepts clients, before it looks at what else is ready.
// A client that has just become ready waits for a few turns at most, so a short turn keeps its p99
// short beside a crowd (`scripts/bench hostile`).
inline constexpr std::chrono::microseconds kTurnMin{15};
// The longest turn, of connections that waited while the loop had much else to do
// (serve/turn.h; `scripts/bench refresh`).
inline constexpr std::chrono::microseconds kTurnMax{1'000};
// The least turn while all connections are of one process, so that nobody else waits.
inline constexpr std::chrono::microseconds kTurnAlone{100};
// After this many turns, a loop that is never idle offers the processor to others.
inline constexpr unsigned kTurnsPerYield = 2;
// An offer of the processor that took no longer was not taken by a program that computes.
inline constexpr std::chrono::microseconds kOfferCheap{100};

// Far longer than any token lives, and small enough to be added to any time.
inline constexpr Duration kMinTtlMax = std::chrono::days{3650};

inline constexpr std::size_t kMembersPageDefault = 100;
inline constexpr std::size_t kMembersPageMax = 1'000;
inline constexpr std::size_t kAuditPageDefault = 100;
inline constexpr std::size_t kAuditPageMax = 1'000;

struct SessionTimes {
  Duration head = std::chrono::seconds{5};          // from a request's first byte to its last
  Duration idle = std::chrono::minutes{5};          // without any request
  Duration write_stall = std::chrono::seconds{30};  // the client reads nothing of its replies
  Duration heartbeat = std::chrono::seconds{30};    // of a watch that has nothing to tell
};

struct ServerOptions {
  std::size_t max_connections = 1'024;
  std::size_t max_connections_per_uid = 256;  // on a listener: of one client
  // On a listener: connections that have not shown a client's token yet, together.
  std::size_t max_connections_unknown = 128;
  SessionTimes times;
  // Deadlines are checked at most this often, so a session may end this much late.
  Duration sweep_spacing = std::chrono::seconds{1};
  // Accepting rests this long if the system has no descriptor or memory for one more connection.
  Duration accept_rest = std::chrono::seconds{1};
  // A connection whose descriptor is this number or a higher one is refused: those numbers are kept
  // for other work. The kernel always gives the lowest free number.
  int descriptors_end = std::numeric_limits<int>::max();
};

}  // namespace rota
