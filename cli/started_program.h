#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace rota::cli {

// Starts a program (looked up in PATH) as the leader of a process group of its own, with no
// standard input, our standard output and error, no signal blocked or ignored, and our environment
// but for what is the service manager's business with us. Returns its pid; the caller waits for it.
// kIo: it cannot be started.
Result<pid_t> start_program(const std::vector<std::string>& words);

// "ended with 3", "was ended by signal 9"; `status` as of waitpid().
std::string end_of_program(int status);

}  // namespace rota::cli
