#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "settings/roster_file.h"
#include "settings/settings.h"

namespace rota {

inline constexpr std::size_t kSecretBytesMax = 16'384;
// Of all its files together: a million members fit, and a text of this size is parsed in seconds.
inline constexpr std::size_t kRosterBytesMax = std::size_t{64} << 20U;
inline constexpr std::size_t kRosterFilesMax = 1'024;  // looked at every ten seconds, on the loop

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

// Whether a message may repeat where the secret is: not if that may be the secret itself, put there
// by mistake. what_names() stands in its place, such as "what app_token_file names".
bool may_be_shown(const SecretSource& source);
std::string what_names(const SecretSource& source, std::string_view key);

// Whichever of the two the source names. No error repeats a name that may be the secret itself.
Result<Secret> read_secret(const SecretSource& source, std::string_view key);

// What the file system says of a roster's files without reading them: it differs when one was
// written, replaced, added or removed, within the resolution of the file system's clock.
struct FileStamp {
  std::string path;
  int error = 0;  // errno, where there is nothing to look at
  std::uint64_t device = 0, inode = 0;
  std::int64_t bytes = 0, written_ns = 0, changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
using RosterStamp = std::vector<FileStamp>;
RosterStamp stamp_roster(const std::string& path);

// One file, or the *.toml of a directory in the order of their names, those that start with a dot
// left out. A directory without any is kConfig; a roster whose stamp changed meanwhile is kIo.
Result<std::vector<RosterFile>> read_roster(const std::string& path);
// Whether a directory's file of this name is one of its roster.
bool is_roster_name(std::string_view name);

}  // namespace rota
