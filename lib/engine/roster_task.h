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
  bool or_nothing = false;             // unless it is the plan that `approve` names
  std::vector<ReloadId> in_force{};    // to be told once it is in force
  std::vector<ReloadId> unanswered{};  // of those, the ones that have heard nothing yet
  std::vector<std::shared_ptr<const void>> spent{};  // destroyed with this task, off the loop
};

// One that somebody asks about, and that does not come into force.
struct RosterLook {
  PlanId plan{};
  std::shared_ptr<RosterJob> job;
};

}  // namespace rota
