#pragma once

#include <string>

#include "cli/community.h"
#include "cli/exit_code.h"
#include "cli/output.h"

// `rota client`: who may use a [[listener]]. Works on files, without the daemon.
namespace rota::cli {

struct ClientCommand {
  enum class Action { kAdd, kList, kRemove };

  Action action = Action::kList;
  std::string name;
  bool old = false;  // kRemove: only the older tokens; the newest stays
  std::string config = Community().config();
};

// kAdd makes a bearer token of 256 bits, prints it (and nothing else on the standard output), and
// adds its SHA-256 to clients.d/NAME.toml beside the configuration; the token itself is stored
// nowhere. A client may have two tokens, so that a program can change from one to the other.
// kRemove removes the file, or its older tokens. A change comes into force at the daemon's next
// reload. kUsage: there is such a client already with two tokens, or there is none, or it stands in
// another file, which is the operator's own. kFailed: a file cannot be read or written.
ExitCode run_client(const ClientCommand& command, bool as_json, Output& output);

}  // namespace rota::cli
