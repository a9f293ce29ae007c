#pragma once

#include <string>

namespace rota {

enum class DaemonCommand { kRun, kCheck, kKeygen, kExit };

struct DaemonOptions {
  DaemonCommand command = DaemonCommand::kRun;
  std::string config = "/etc/rota/rotad.toml";
  // Only for kExit: help or version is wanted, or the words were wrong.
  int exit_code = 0;
  std::string said;  // for standard output
};

// Reads the command line; prints errors itself.
DaemonOptions read_options(int argc, char** argv);

}  // namespace rota
