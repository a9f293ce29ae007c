#pragma once

#include <array>
#include <optional>

#include "base/small_optional.h"
#include "base/time.h"
#include "plan/lane.h"

namespace rota {

// The places of one member in the queues of Schedule (engine/schedule.h). Only Schedule writes
// them. They are kept with the member, so that taking it out of the queues needs no search.
struct QueuePlaces {
  static constexpr WallTime kNone = WallTime::max();

  // Its due time in each lane, or kNone: an optional is twice as large.
  std::array<WallTime, kLaneCount> lanes = [] {
    std::array<WallTime, kLaneCount> none{};
    none.fill(kNone);
    return none;
  }();
  SmallOptional<WallTime> housekeeping;

  // When its call in this lane is due; none: it has none there. Circle's clock.
  std::optional<WallTime> due(Lane lane) const {
    const WallTime due = lanes.at(index_of(lane));
    return due == kNone ? std::nullopt : std::optional(due);
  }
};

}  // namespace rota
