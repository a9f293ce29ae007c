#pragma once

#include <sys/types.h>

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

bool exists(const std::string& path);
// With the folders above it that are missing (0755).
Result<void> make_folder(const std::string& path, mode_t mode);
// Fails with kBusy where there is such a file already, and leaves it as it is.
Result<void> write_new(const std::string& path, std::string_view bytes, mode_t mode);
Result<void> replace(const std::string& path, std::string_view bytes, mode_t mode);

}  // namespace rota::cli
