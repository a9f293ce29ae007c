#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "sqlite/backup_file.h"
#include "sqlite/database.h"
#include "sqlite/sealer.h"
#include "store/token_store.h"

namespace rota {

// Makes a backup of an open database in steps of a few milliseconds: first a copy of the database,
// `<database>.copy`, then from it the sealed file `<database>.backup`. It leaves nothing behind but
// the latter, and that only if it is complete. The database and the sealer must outlive it. One
// thread at a time.
class BackupJob {
 public:
  // `path`: of the database, absolute. kFull if the disk has no room for both files.
  static Result<BackupJob> begin(Database& database, const Sealer& sealer,
                                 const std::filesystem::path& path);
  BackupJob(BackupJob&& other) noexcept;
  BackupJob& operator=(BackupJob&&) = delete;
  ~BackupJob();

  // The backup, once it is complete. `now`: this machine's clock. After an error nothing but the
  // destructor may be called.
  Result<std::optional<Backup>> step(WallTime now);

  // Removes what a process that died may have left, and a backup that nobody has fetched.
  static void remove_files(const std::filesystem::path& path);

 private:
  BackupJob(Database& database, const Sealer& sealer, std::filesystem::path path, DatabaseCopy copy)
      : database_(&database), sealer_(&sealer), path_(std::move(path)), copy_(std::move(copy)) {}
  Result<BackupHead> head(WallTime now);

  Database* database_;
  const Sealer* sealer_;
  std::filesystem::path path_;            // empty: moved from
  std::optional<DatabaseCopy> copy_;      // until the copy is complete
  std::optional<BackupWriter> writer_{};  // from then on
  WallTime made_at_{};
};

}  // namespace rota
