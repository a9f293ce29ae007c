#pragma once

#include <filesystem>

#include "base/result.h"
#include "sqlite/database.h"
#include "sqlite/sealer.h"

namespace rota {

struct DatabaseFile {
  Database database;
  SealForm form = kNewestForm;  // the form of the seals in it
  bool is_new = false;          // whether this call made it
};

// Opens the database file, or makes one if there is none or an empty one, brings it to the newest
// schema, puts every setting in force (see the .cc), and binds the sealer to it. The caller holds
// the LockFile. `path` is absolute.
//   kCorrupt  not Rota's file, or a newer Rota wrote it: not a byte of it is changed
//   kConfig   no right to the file, or the store key does not fit
//   kBusy     another program has the file open
//   kFull, kIo
Result<DatabaseFile> open_database_file(const std::filesystem::path& path, Sealer& sealer);

}  // namespace rota
