#pragma once

#include <string>

namespace rota {

enum class DaemonCommand { kRun, kCheck, kKeygen, kExit };

struct DaemonOptions {
  DaemonCommand command = DaemonCommand::kRun;
  std::string config = "/etc/rota/rotad.toml";
  int exit_code = 0;  // only for kExit: help or version was shown, or the words were wrong
};

// Reads the command line; prints help, version and errors itself.
DaemonOptions read_options(int argc, char** argv);

}  // namespace rota
