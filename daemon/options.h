#pragma once

#include <string>

namespace rota {

enum class DaemonCommand { kRun, kCheck, kKeygen, kExit };

struct DaemonOptions {
  DaemonCommand command = DaemonCommand::kRun;
  std::string config = "/etc/rota/rotad.toml";
  // Only for kExit: help or version was asked for, or the command line is wrong.
  int exit_code = 0;
  std::string said;  // to be printed on standard output
};

// Reads the command line. Prints errors on standard error itself, without words that may be
// secrets.
DaemonOptions read_options(int argc, char** argv);

}  // namespace rota
