#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace rota::cli {

// A variable of the environment. Its value may be a token.
struct Variable {
  std::string name;
  Secret value;
};

// How a command is started that stands for this process: in our process group, with our standard
// streams and our environment and `variables`. It does not outlive us.
struct ChildPlan {
  const std::vector<std::string>& command;
  std::vector<Variable> variables;
  sigset_t signals;      // its blocked signals
  mode_t creation_mask;  // its umask
};

// Why it could not be started: the errno of exec or fork.
struct NotStarted {
  int error = 0;
};

// Blocks until the command runs, or is known not to.
std::expected<pid_t, NotStarted> start_child(const ChildPlan& plan);

}  // namespace rota::cli
