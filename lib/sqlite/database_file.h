#pragma once

#include <filesystem>

#include "base/result.h"
#include "sqlite/database.h"
#include "sqlite/sealer.h"

namespace rota {

struct DatabaseFile {
  Database database;
  SealForm form = SealForm::kThird;  // of the seals in it
  bool is_new = false;               // made by this call
};

// Opens the database file, or makes one where there is none or an empty one, and leaves it at the
// newest schema with every setting in force (see the .cc). The caller holds the LockFile.
//
// A file that is not Rota's, or that a newer Rota wrote, is not changed by a byte: kCorrupt, naming
// it. kConfig: no right to it, or the store key does not fit. kBusy: another program reads it.
// The sealer is bound to the database.
Result<DatabaseFile> open_database_file(const std::filesystem::path& path, Sealer& sealer);

}  // namespace rota
