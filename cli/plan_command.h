#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cli/community.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/transport.h"

namespace rota::cli {

struct PlanCommand {
  std::vector<std::string> files{};  // what is to be in place; none: the roster on disk as it is
  std::string config{};              // the daemon's configuration; empty: the installed one
  Community community{};             // whose configuration is the installed one
  bool all = false;                  // every key, instead of the first ones of each list
};

// Says what a roster would change: which members are added, changed and retired, what the guard
// does, what it costs, and what to do next. For the roster on disk the daemon says it. For files
// that are not in place yet it is found out here, from the daemon's list of members. If the daemon
// cannot be reached, it says what the files alone tell, and returns kUnreachable. kFailed: that
// roster cannot be used. Changes nothing; blocks on the disk and the daemon.
//
// `as_json`: prints the plan as GET /v1/roster/plan has it; without the daemon
// {"entries","wanted","fits"}, since there is no plan.
ExitCode run_plan(const PlanCommand& command, bool as_json, Transport& transport, Output& output,
                  const std::function<WallTime()>& now);

}  // namespace rota::cli
