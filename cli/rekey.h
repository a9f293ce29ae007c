#pragma once

#include <string>

#include "cli/community.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace rota::cli {

struct RekeyCommand {
  Community community{};
  std::string config = community.config();  // the daemon's configuration
};

// Makes a new store key and seals the database with it, while no daemon has it.
//
// The new key is on the disk, in `<key file>.new`, before the database changes; the database
// changes all at once; then the new key takes the place of the old one. So at every moment the
// database opens with one of the two files. If the command is cut off, the next one goes on with
// the key that waits there.
//
// kFailed: the daemon runs, the key or the database cannot be read, or the disk refused; the
// message says so if the database has the new key already.
ExitCode run_rekey(const RekeyCommand& command, bool as_json, Output& output);

}  // namespace rota::cli
