#pragma once

#include <filesystem>

#include "base/result.h"
#include "sqlite/files.h"

namespace rota {

// Keeps a database to one daemon: an exclusive lock on the file `<database>.lock`, held as long as
// this object lives. The kernel drops the lock when the process ends in any way. The file stays and
// is never removed: otherwise two daemons could lock two files with this name.
//
//   file := "pid " decimal "\nstarted " ISO-8601-time "\n"       who holds the lock, for people
class LockFile {
 public:
  // kBusy if another process, or another store of this one, holds the lock; the message says who.
  // Otherwise errors as os_failure() makes them. Does not wait.
  static Result<LockFile> acquire(const std::filesystem::path& database);

 private:
  explicit LockFile(OpenFile file) : file_(std::move(file)) {}

  OpenFile file_;
};

}  // namespace rota
