#pragma once

#include <string>
#include <vector>

#include "cli/community.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "import/listed_member.h"

namespace rota::cli {

struct ImportCommand {
  std::vector<std::string> files;  // "-": the standard input
  std::string out;                 // the roster file to write
  ImportRules rules;
  bool dry_run = false;   // say what would change, and write nothing
  Community community{};  // whose configuration is the installed one
  std::string config;     // the daemon's configuration; empty: the installed one, if it can be read
};

// All lists together. A million members fit.
inline constexpr std::size_t kListBytesMax = std::size_t{256} << 20U;

// Makes a roster file of Circle's own lists of members, and says what changes against the file that
// is there, what that costs in calls, and whether the mass-retirement guard would hold it. Works
// without the daemon, which reads the new file at its next reload.
//
// The file is written whole or not at all, and only if the daemon can read it, together with the
// other files of its roster. A file that is there keeps its owner and permissions; a new one gets
// those that `rota setup` gives to a roster. Nothing is written through a symbolic link.
//
// Blocks on the disk and on the standard input. kFailed: a list is not taken, the file that is
// there is no roster, or it cannot be written. No message repeats a value of a list (P10).
ExitCode run_import(const ImportCommand& command, bool as_json, Output& output);

}  // namespace rota::cli
