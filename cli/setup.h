#pragma once

#include <string>
#include <vector>

#include "cli/app_token_check.h"
#include "cli/community.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "model/member_key.h"

namespace rota::cli {

struct SetupCommand {
  std::string root;            // write everything below this folder, for a trial; empty: do not
  std::string app_token_file;  // "-": the standard input; empty: ask the person
  std::string base_url;  // of a server in Circle's place; empty: the configuration's, or Circle
  std::vector<MemberKey> members;
  Community community{};
  std::string rotad;  // the rotad program; empty: the one beside this program, or in PATH
  bool encrypted = false;
  bool yes = false;   // ask nothing
  bool check = true;  // ask Circle whether it accepts the app token
};

// Makes a first configuration: lists what it would write, asks, writes, lets rotad check the
// result, and says how to go on. Files that exist are kept. The store key is never replaced:
// without it every token on record would be lost. The app token is replaced only if
// --app-token-file gives one, or if Circle refuses the present one and the person types another.
// kUsage: what it was given, or found, is wrong. kFailed: the person did not agree, the server that
// it asked is not Circle, writing failed, or rotad's check did. kUnreachable: all is written, but
// Circle did not say whether it accepts the app token. `as_json`: prints one object in place of the
// lines; it still asks, unless --yes is given.
ExitCode run_setup(const SetupCommand& command, bool as_json, Console& console, Output& output,
                   const CheckAppToken& check_token = check_app_token);

}  // namespace rota::cli
