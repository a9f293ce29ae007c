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
// All files of the roster together. A million members fit, and parsing takes seconds.
inline constexpr std::size_t kRosterBytesMax = std::size_t{64} << 20U;
inline constexpr std::size_t kRosterFilesMax = 1'024;  // stamp_roster() runs on the loop thread

// All of these block on the disk; the daemon calls the readers at its start and on its thread for
// files. kConfig, with the path in the message: a file is missing, may not be read, is not a
// regular file or is too large. kIo: reading failed, or the file changed while it was read.

// The whole file, at most bytes_max bytes.

Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max);

// The one line of the file, printable ASCII without spaces, without its newline. Every buffer that
// held it is wiped. kConfig: the file has something else, or group or others have any permission on
// it; then the message has the command that fixes that.
Result<Secret> read_secret_file(const std::string& path);

// The same from the file `name` in $CREDENTIALS_DIRECTORY. systemd sets the permissions there, so
// they are not checked. `key` is the setting without its ending ("app_token"): a message names the
// setting and its alternative ("app_token_file").
Result<Secret> read_credential(std::string_view name, std::string_view key);

// Whether a message may repeat the name or path in `source`. It must not if that may be the secret
// itself, put there by mistake (P10): then a message has what_names() in its place, such as "the
// file that app_token_file names". may_be_shown() blocks on the disk.
bool may_be_shown(const SecretSource& source);
std::string what_names(const SecretSource& source, std::string_view key);

// The secret, from the credential or the file that `source` names. No error repeats a name that may
// be the secret itself.
Result<Secret> read_secret(const SecretSource& source, std::string_view key);

// What stat() says of the files of a roster. Two stamps differ if a file was written, replaced,
// added or removed between them, as far as the clock of the file system can tell.
struct FileStamp {
  std::string path;
  int error = 0;  // errno of stat(); then the rest is 0
  std::uint64_t device = 0, inode = 0;
  std::int64_t bytes = 0, written_ns = 0, changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
using RosterStamp = std::vector<FileStamp>;
RosterStamp stamp_roster(const std::string& path);

// The file `path`, or the files of the directory `path` that is_roster_name() takes, in the order
// of their names. kConfig: the directory has none. kIo: the stamp of the roster changed while it
// was read.
Result<std::vector<RosterFile>> read_roster(const std::string& path);
// Whether a file of this name in a roster directory is part of the roster: *.toml, without a dot at
// its beginning.
bool is_roster_name(std::string_view name);

}  // namespace rota
