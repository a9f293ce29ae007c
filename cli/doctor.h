#pragma once

#include <string>

#include "cli/community.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace rota::cli {

struct DoctorCommand {
  // Whose access to tokens is checked; empty: nobody's.
  std::string user;
  std::string unit;         // a systemd unit, by the user and the groups that it runs as
  std::string client;       // a [[client]]
  std::string file;         // a token file of `rota files`; empty: none
  std::string root;         // as for `rota setup`
  std::string config;       // the configuration to check; empty: the one below `root`
  std::string credentials;  // the folder of its credentials; empty: credentials/ beside it
  Community community{};
  bool all = false;  // print what is good, too
  // Connect to Circle, and ask whether it accepts the app token, if no running daemon knows.
  bool check = true;
};

// Checks what Rota needs to work: configuration, roster, grants, credentials, sockets, units, and
// what the daemon says about itself. Prints a line for each, with what to do if it is wrong.
// Changes nothing; blocks on the disk, the daemon, systemctl and Circle. kFailed: something is
// wrong. `admin_socket`: the one to ask; empty: the one of the configuration.
ExitCode run_doctor(const DoctorCommand& command, const std::string& admin_socket, bool as_json,
                    Output& output);

}  // namespace rota::cli
