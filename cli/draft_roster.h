#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "settings/roster_file.h"

// A roster that is not in place yet.
namespace rota::cli {

// The files of the roster folder `folder` whose names `leave_out` does not take, in the order of
// their names. Blocks on the disk. kIo: the folder cannot be read. Else as read_small_file().
Result<std::vector<RosterFile>> files_of_folder(
    const std::string& folder, const std::function<bool(std::string_view name)>& leave_out);

struct DraftRoster {
  std::vector<RosterFile> files;
  std::string of;  // what it is, for a heading
};
// The roster as it would be with the files `drafts` in place. `path` is that of the roster in the
// configuration; empty: nobody knows. If it is a folder, the drafts stand beside its other files,
// and replace those of their names; a draft that is itself a folder is the whole roster, and so is
// each draft if `path` is a file or not known. kInvalid: rotad would not read a file of this name,
// or a single file would have to be several. No message repeats a draft's path that may be a secret
// (P10). Blocks on the disk.
Result<DraftRoster> draft_roster(const std::string& path, const std::vector<std::string>& drafts);

}  // namespace rota::cli
