#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/commands.h"
#include "engine/roster_job.h"

namespace rota {

// A roster that was read, until it is in force or refused.
struct RosterTask {
  std::shared_ptr<RosterJob> job;
  std::string approve{};
  bool or_nothing = false;             // refuse it all unless its plan is the one of `approve`
  std::vector<ReloadId> in_force{};    // get RosterInForce once it is in force
  std::vector<ReloadId> unanswered{};  // those of them that have had no Reloaded yet
  std::vector<std::shared_ptr<const void>> spent{};  // destroyed with this task, off the loop
};

// A roster whose plan somebody asks for. It does not come into force.
struct RosterLook {
  PlanId plan{};
  std::shared_ptr<RosterJob> job;
};

}  // namespace rota
