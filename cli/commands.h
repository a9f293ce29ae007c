#pragma once

#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/transport.h"

namespace rota::cli {

// Members that one page of `rota members` asks for.
inline constexpr std::size_t kMembersPage = 500;
// And entries that one of `rota audit` does.
inline constexpr std::size_t kAuditPage = 1'000;

// Carries one command out: asks the daemon, and prints the result or one line about the failure.
ExitCode run(const Options& options, Transport& transport, Output& output);

}  // namespace rota::cli
