#pragma once

#include <string>

#include "cli/community.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace rota::cli {

// Keep the token files of a configuration.
struct FilesCommand {
  std::string config;  // empty: files.toml beside the daemon's configuration
  Community community{};
  bool check = false;  // only say whether the configuration is good
};

// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again. Messages go to err().
// kConfig: the configuration is wrong. kFailed: it cannot be read now, or at the stop a
// file could not be removed.
ExitCode run_files(FilesCommand command, Output& output);

}  // namespace rota::cli
