#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"
#include "cli/community.h"

// How `rota setup` and `rota import` write files: a file exists whole and with its mode, or not at
// all.
namespace rota::cli {

// Where Rota's files are: as the installed units have them, or the same below another root.
struct Places {
  explicit Places(const std::string& under = {}, const Community& community = {});

  std::string root;  // empty: the system itself
  std::string etc, config, roster, credentials, database, state, run, drop_ins, drop_in;

  std::string credential(std::string_view name, bool encrypted) const;
};

// The permissions of a file or folder. No group or owner: that of the process.
struct Rights {
  mode_t mode = 0;
  std::optional<gid_t> group{};
  std::optional<uid_t> owner{};  // of a file that is written
};

// Writes the files of the system, or those below another root. Below another root it follows no
// symbolic link: otherwise a user who may write there could make root write any file. Blocks on the
// disk. Errors name the path; kInvalid: a link is in the way; kIo: anything else.
class Tree {
 public:
  explicit Tree(std::string root) : root_(std::move(root)) {}

  // The first symbolic link on the way from the root to `path` (`path` included); empty: there is
  // none, or links are followed.
  std::string link_on_the_way_to(const std::string& path) const;

  // Creates the folder, and those above it that are missing (0755). A folder that exists keeps its
  // mode.
  Result<void> make_folder(const std::string& path, mode_t mode) const;
  // kBusy: the file exists; it is left as it is.
  Result<void> write_new(const std::string& path, std::string_view bytes, Rights rights) const;
  Result<void> replace(const std::string& path, std::string_view bytes, Rights rights) const;
  // Sets the permissions of a file that exists. kInvalid: it is a link or not a regular file, or
  // has another hard link; it is left as it is.
  Result<void> restrict_to(const std::string& path, Rights rights) const;

 private:
  Result<Descriptor> open_folder(const std::string& path) const;
  Result<Descriptor> walk(const std::string& path, std::optional<mode_t> make) const;
  Result<void> put(const std::string& path, std::string_view bytes, Rights rights,
                   bool replaces) const;

  const std::string root_;
};

bool exists(const std::string& path);

}  // namespace rota::cli
