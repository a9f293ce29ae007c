#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "daemon/settings.h"
#include "roster/roster.h"

namespace rota {

inline constexpr std::size_t kSecretBytesMax = 16'384;
inline constexpr std::size_t kRosterBytesMax = std::size_t{256}
                                               << 20U;  // of all its files together
inline constexpr std::size_t kRosterFilesMax = 4'096;

// These block, so they run at the start and at a reload only. A file that is missing, may not be
// read, is not a regular file or is too large is kConfig and the message names it; a read that
// breaks off, or a file that changes meanwhile, is kIo.

Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max);

// Reads one line of printable ASCII, its newline left off; every buffer on the way is wiped.
// kConfig when group or others may read the file, and the message says how to mend that.
Result<Secret> read_secret_file(const std::string& path);

// The same from $CREDENTIALS_DIRECTORY, whose permissions are systemd's affair. `key` is the
// setting without its ending ("app_token"), so that a message can name it and the way around.
Result<Secret> read_credential(std::string_view name, std::string_view key);

// Whichever of the two the source names.
Result<Secret> read_secret(const SecretSource& source, std::string_view key);

// One file, or the *.toml of a directory in the order of their names, those that start with a dot
// left out. A directory without any is kConfig.
Result<std::vector<RosterFile>> read_roster(const std::string& path);

}  // namespace rota
