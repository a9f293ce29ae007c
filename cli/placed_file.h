#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "base/secret.h"

// Puts a secret into a file that others read. Everything here blocks on the disk. Every error is
// kIo (kFull: no space is left) and names the path.
namespace rota::cli {

// Where a file is to be, and who may read it. `path` is absolute, without "." and "..".
struct Place {
  std::string path;
  uid_t owner = 0;
  gid_t group = 0;
  mode_t mode = 0600;
};

// Makes `content` the whole content of the file. A reader sees the old file or the new one, with
// its owner and mode, and never anything in between. If it fails, the old file is as it was. Links
// are not followed. It refuses a folder in which anybody but root and this process can write, and
// one to which anybody else could bring another folder.
Result<void> put(const Place& place, const Secret& content);

// Whether the file has exactly this content, owner and mode. False if it cannot be read.
bool is_in_place(const Place& place, const Secret& content);

// Removes the file, and what a put() that was killed has left of it. No error if neither is there.
// Links are not followed. The folder may be anybody's: the secret must go in any case.
Result<void> take_away(const std::string& path);

// Whether put() would accept the folder of `path` in a process of this user.
Result<void> check_folder(const std::string& path, uid_t user);

}  // namespace rota::cli
