#pragma once

#include <string>

#include "cli/exit_code.h"
#include "cli/output.h"

namespace rota::cli {

struct DoctorCommand {
  std::string user;         // whose way to tokens is looked at; empty: nobody's
  std::string root;         // as of `rota setup`
  std::string config;       // another configuration than the one under root
  std::string credentials;  // where its credentials are; empty: in credentials/ beside it
  bool check = true;  // ask Circle whether it takes the app token, if no daemon runs that knows
};

// Looks at what a working Rota needs and says in a line each what is so, and what to do where it is
// not: configuration, roster, grants, credentials, sockets, units, and what the daemon says of
// itself. Changes nothing. kFailed when something is wrong. `admin_socket`: in the place of the
// configuration's; may be empty.
ExitCode run_doctor(const DoctorCommand& command, const std::string& admin_socket, bool as_json,
                    Output& output);

}  // namespace rota::cli
