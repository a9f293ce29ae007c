#pragma once

#include <functional>
#include <string>

#include "base/time.h"
#include "cli/community.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace rota::cli {

struct RestoreCommand {
  std::string file;  // the backup
  Community community{};
  std::string config = community.config();  // the daemon's configuration
  std::string key_file;  // the store key that the backup was sealed with; empty: the one in force
  bool yes = false;      // ask nothing
};

// Puts a backup in the place of the daemon's database, while no daemon has it. Before that it says
// what the backup does not know and what of it comes from the present database, and asks. The
// database of before stays beside it. A backup of an earlier store key is sealed anew. Works as the
// user that owns the database. Blocks on the disk and on the person.
//   kFailed  the daemon runs, the backup is damaged or of another key, the disk refused, or the
//            person did not agree: then nothing has changed
//   kUsage   there is nobody to ask, and no --yes
ExitCode run_restore(const RestoreCommand& command, bool as_json, Console& console, Output& output,
                     const std::function<WallTime()>& now);

}  // namespace rota::cli
