#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

// How `rota setup` writes: a file is there whole, with its mode, or not at all.
namespace rota::cli {

// Where Rota's files are: those of the installed units, or the same under another root.
struct Places {
  explicit Places(const std::string& under = {});

  std::string root;  // empty: the system itself
  std::string etc, config, roster, credentials, database, state, run, drop_ins, drop_in;

  std::string credential(std::string_view name, bool encrypted) const;
};

// Who may do what with a file or folder. `group` none: that of the process.
struct Rights {
  mode_t mode = 0;
  std::optional<gid_t> group{};
};

// The files of the system, or those below another root. Below such a root no link is followed:
// whoever may write there would choose which of the system's files root writes.
class Tree {
 public:
  explicit Tree(std::string root) : root_(std::move(root)) {}

  // The first link on the way from the root to `path`, that itself included; empty: there is none,
  // or links are followed.
  std::string link_on_the_way_to(const std::string& path) const;

  // With the folders above it that are missing (0755). One that is there keeps its mode.
  Result<void> make_folder(const std::string& path, mode_t mode) const;
  // Fails with kBusy if there is such a file already, and leaves it as it is.
  Result<void> write_new(const std::string& path, std::string_view bytes, Rights rights) const;
  Result<void> replace(const std::string& path, std::string_view bytes, Rights rights) const;
  // Of a file that is there. kInvalid: it is a link or no regular file, which stays as it is.
  Result<void> restrict_to(const std::string& path, Rights rights) const;

 private:
  class Descriptor;
  Result<Descriptor> open_folder(const std::string& path) const;
  Result<Descriptor> walk(const std::string& path, std::optional<mode_t> make) const;
  Result<void> put(const std::string& path, std::string_view bytes, Rights rights,
                   bool replaces) const;

  const std::string root_;
};

bool exists(const std::string& path);

}  // namespace rota::cli
