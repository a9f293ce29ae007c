#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/time.h"
#include "engine/census.h"
#include "engine/commands.h"
#include "engine/queue_places.h"
#include "engine/upkeep.h"
#include "model/record.h"
#include "plan/next_action.h"

namespace rota {

// One member in the engine: its record, and what is not durable.
struct MemberSlot {
  MemberRecord record;
  Attempts attempts;
  QueuePlaces places;
  std::optional<CallId> in_flight;  // P9: one at a time
  // P4: what older calls bring is revoked, since the member was out after they were made. Need not
  // outlive the process: after a restart no reply comes to a call of the one before.
  CallId revoked_before{};
  std::vector<WaitId> waiters;         // those not answered
  std::vector<OperatorId> operations;  // that wait for something of this member
  std::size_t rotations_asked = 0;     // of those, the ones that want a new token
  WallTime use_on_record;              // record.last_used as the store has it
  WallTime in_use_since;               // when somebody asked for it after a long while
  std::optional<UseRank> use_rank;     // while active
  std::optional<Census::Entry> counted;
};

}  // namespace rota
