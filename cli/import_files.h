#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/setup_files.h"
#include "import/member_lists.h"
#include "settings/secret_files.h"

// The files of `rota import`. No message repeats a path that may be a secret, given as a file by
// mistake (P10).
namespace rota::cli {

// `path`, or words in its place if it may be a secret; and `message` without it in that case.
std::string shown_path(const std::string& path);
std::string without_secret_path(std::string message, const std::string& path);

// Reads regular files, and the standard input for "-"; blocks. kInvalid: "-" is there twice, or all
// together have more than kListBytesMax bytes. Else as read_small_file().
Result<std::vector<ListFile>> read_lists(const std::vector<std::string>& paths);

// The roster file that is to be written.
struct RosterTarget {
  std::string path;   // in its real folder
  std::string shown;  // for messages
  std::string text;   // what is in it now; empty: it is not there
  Rights rights;      // those of the file that is there, or the ones of a new roster
  RosterStamp stamp;  // as it was read

  // kInvalid: `out` names no file, has no folder, or is a symbolic link. Else as read_small_file().
  static Result<RosterTarget> look_at(const std::string& out);

  // Replaces the file as a whole, durably, or leaves it as it is: a link that is there by now is
  // replaced, not followed. kBusy: the file has changed since look_at().
  Result<void> write(std::string_view new_text) const;
};

}  // namespace rota::cli
