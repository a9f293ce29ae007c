#pragma once

#include <array>

#include "base/histogram.h"

namespace rota {

// How long things took since the start, for metrics. The driver measures, by a monotonic clock.
struct Timings {
  std::array<Histogram, 5> calls{};  // to Circle until their replies, by CallKind (from 1 on)
  Histogram commits{};               // of the rotation, on the store's thread
  Histogram waits{};                 // of clients for a token, until they were answered
  Histogram loop_lag{};              // from a commit's end until the loop came to it
};

}  // namespace rota
