#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/community.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace rota::cli {

// Says why a command failed that needs the daemon stopped, and if the daemon runs, how to stop it.
// `paths` are words of the command line: one that may be a secret is not repeated (P10). Returns
// kFailed.
ExitCode say_why_not(Error error, const std::vector<std::string>& paths, const Community& community,
                     Output& output);

}  // namespace rota::cli
