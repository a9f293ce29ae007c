#pragma once

#include <string>
#include <vector>

#include "cli/app_token_check.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "model/member_key.h"

namespace rota::cli {

struct SetupCommand {
  std::string root;            // another place than the system's own, for a trial
  std::string app_token_file;  // "-": the standard input; empty: the person is asked
  std::vector<MemberKey> members;
  std::string rotad;  // the daemon's program; empty: beside this one, or in PATH
  bool encrypted = false;
  bool yes = false;   // ask nothing
  bool check = true;  // ask Circle whether it takes the app token
};

// Makes a first configuration: says what it would write, asks, writes, has rotad check it, and says
// how to go on. What is there already stays, the store key in any case: without it every token on
// record is lost. An app token of a file replaces the one that is there, once that was agreed to;
// so does another one if Circle refuses the one that is there.
ExitCode run_setup(const SetupCommand& command, Console& console, Output& output,
                   const CheckAppToken& check_token = check_app_token);

}  // namespace rota::cli
