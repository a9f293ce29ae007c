#pragma once

#include <functional>
#include <string>

#include "base/time.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/transport.h"

namespace rota::cli {

struct EventsCommand {
  std::string since = "7d";  // as of AuditQuery
  bool follow = false;       // go on with what comes, until somebody ends it
};

// Prints what happened that an operator cares about (is_notable()), one line each in plain words,
// the oldest first. Blocks. A follower asks every two seconds, and if the daemon is gone it waits
// for it to come back: a restart is one of the events. `as_json`: prints the pages of GET /v1/audit
// that have an entry.
ExitCode run_events(const EventsCommand& command, bool as_json, Transport& transport,
                    Output& output, const std::function<WallTime()>& now);

}  // namespace rota::cli
