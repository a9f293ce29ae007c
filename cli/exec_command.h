#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "cli/output.h"
#include "model/member_key.h"

namespace rota::cli {

// Run a command with the members' tokens in files of its own.
struct ExecCommand {
  std::vector<MemberKey> keys{};
  std::vector<std::string> command{};  // and its arguments; found in PATH
  std::string env{};                   // a variable that gets the token itself; empty: none
  bool restart_on_change = false;
  int signal_on_change = 0;  // 0: none
};

// Waits for the tokens, runs the command, and keeps the files fresh until it ends. Signals, the
// terminal and the exit status pass through. Returns the status to exit with: that of the command
// (128 and the signal's number if a signal ended it), 127 or 126 if it cannot be run, or, if there
// are no tokens to begin with, that of ExitCode. `creation_mask`: the command's umask.
int run_exec(const ExecCommand& command, const std::string& socket, mode_t creation_mask,
             Output& output);

}  // namespace rota::cli
