#pragma once

#include <array>
#include <optional>

#include "base/time.h"
#include "plan/lane.h"

namespace rota {

// The places of one member in the queues of Schedule (engine/schedule.h). Only Schedule writes
// them. They are kept with the member, so that taking it out of the queues needs no search.
struct QueuePlaces {
  std::array<std::optional<WallTime>, kLaneCount> lanes;  // its due time in each
  std::optional<WallTime> housekeeping;

  // When its call in this lane is due; none: it has none there. Circle's clock.
  std::optional<WallTime> due(Lane lane) const { return lanes.at(index_of(lane)); }
};

}  // namespace rota
