#pragma once

#include <filesystem>

#include "base/result.h"
#include "sqlite/files.h"

namespace rota {

// One daemon for each database: an exclusive lock on the file `<database>.lock`, held for as long
// as this object lives. The kernel drops it with the process, however that ends, so the file may
// stay behind and is never removed (removing it would let two daemons lock two files of one name).
//
//   file := "pid " decimal "\nstarted " ISO-8601-time "\n"       who holds it, for people
class LockFile {
 public:
  // kBusy: another process, or another store in this one, holds the lock; the message says who.
  static Result<LockFile> acquire(const std::filesystem::path& database);

 private:
  explicit LockFile(OpenFile file) : file_(std::move(file)) {}

  OpenFile file_;
};

}  // namespace rota
