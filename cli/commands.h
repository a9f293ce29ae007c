#pragma once

#include <functional>

#include "base/time.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/transport.h"

namespace rota::cli {

// Carries out a command that asks the daemon, and prints the result or one line about the failure.
// Blocks until the reply is here. --json prints the daemon's reply as it is. `now` reads this
// machine's clock. `console` is asked before what cannot be undone.
ExitCode run(const Options& options, Transport& transport, Output& output, Console& console,
             const std::function<WallTime()>& now);

}  // namespace rota::cli
