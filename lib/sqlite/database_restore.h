#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "sqlite/backup_file.h"
#include "sqlite/lock_file.h"
#include "sqlite/sqlite_store.h"
#include "store/token_store.h"

namespace rota {

// Puts a backup in the place of a database that no daemon has open. Until put_in_place() the
// database stays as it is; from its rename on, the restored one is there. The calls come in the
// order of this class, each once; after an error only the destructor may be called. All block on
// the disk. One thread at a time.
class DatabaseRestore {
 public:
  // `path`: of the database. `store_key`: of the database, and of the backup unless unseal() gets
  // another.
  DatabaseRestore(std::filesystem::path path, Secret store_key)
      : path_(std::filesystem::absolute(path)), store_key_(std::move(store_key)) {}
  // Removes the copy if it has not come in place.
  ~DatabaseRestore();
  DatabaseRestore(const DatabaseRestore&) = delete;
  DatabaseRestore& operator=(const DatabaseRestore&) = delete;

  struct Present {
    std::optional<Snapshot> snapshot;  // none: there is no database, or it cannot be read
    std::string problem;               // why there is none
    DatabaseId database{};
  };
  // Locks the database at the path until this object goes, and reads it. kBusy: a daemon has it.
  Result<Present> look_at_present();

  // Whether the backup was sealed with the key of the database.
  Result<bool> has_key_of(const BackupReader& backup) const;
  // Unseals the backup beside the database and reads it. `earlier_key`: an earlier store key, with
  // which the backup was sealed; then all of it is sealed anew with the key of the database. Errors
  // as BackupReader::unseal() and SqliteStore::open() have them.
  Result<Snapshot> unseal(const BackupReader& backup,
                          const std::optional<Secret>& earlier_key = std::nullopt);

  // Commits the mutations and the note to the copy and makes it the database. Returns where the
  // database of before is now; empty if there was none. `now`: this machine's clock.
  Result<std::filesystem::path> put_in_place(std::span<const Mutation> mutations,
                                             const AuditNote& note, WallTime now);

 private:
  Result<Sealer> sealer() const;
  std::filesystem::path folder() const;
  std::filesystem::path copy() const;
  Result<std::filesystem::path> keep_present(WallTime now);

  const std::filesystem::path path_;
  const Secret store_key_;
  std::unique_ptr<SqliteStore> present_;  // null: it cannot be read, or is closed again
  std::optional<LockFile> lock_;          // unless present_ has it
  std::unique_ptr<SqliteStore> copy_;
  bool knows_present_ = false;
};

}  // namespace rota
