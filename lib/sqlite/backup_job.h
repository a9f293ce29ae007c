#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "sqlite/backup_file.h"
#include "sqlite/database.h"
#include "sqlite/sealer.h"
#include "store/token_store.h"

namespace rota {

// The backups that wait for whoever asked for them, each in a file of its own:
// `<database>.backups/<number>`. One thread at a time; all calls block on the disk.
class WaitingBackups {
 public:
  // If more wait, the oldest go: a program that has opened its file keeps it.
  static constexpr std::size_t kWaitingMax = 3;

  // `database`: its absolute path. What an earlier process left is removed with remove_all().
  explicit WaitingBackups(const std::filesystem::path& database) : folder_(folder_of(database)) {}

  // The file for the next backup. Before that the oldest ones go, so that with it kWaitingMax wait.
  Result<std::filesystem::path> make_room();
  // It is complete.
  void add(std::filesystem::path file) { waiting_.push_back(std::move(file)); }
  static void remove_all(const std::filesystem::path& database);

 private:
  static std::filesystem::path folder_of(std::filesystem::path database);

  const std::filesystem::path folder_;
  std::deque<std::filesystem::path> waiting_;  // the oldest first; some are fetched already
  std::uint64_t last_number_ = 0;
};

// Makes a backup of an open database in steps of a few milliseconds: first a copy of the database,
// `<database>.copy`, then from it the sealed file. It leaves nothing behind but the latter, and
// that only if it is complete. The database and the sealer must outlive it. One thread at a time.
class BackupJob {
 public:
  // `path`: of the database, absolute. `to`: the sealed file. kFull if the disk has no room for
  // both files.
  static Result<BackupJob> begin(Database& database, const Sealer& sealer,
                                 const std::filesystem::path& path, std::filesystem::path to);
  BackupJob(BackupJob&& other) noexcept;
  BackupJob& operator=(BackupJob&&) = delete;
  ~BackupJob();

  // The backup, once it is complete. `now`: this machine's clock. After an error nothing but the
  // destructor may be called.
  Result<std::optional<Backup>> step(WallTime now);

  // Removes the copy of a process that died.
  static void remove_copy(const std::filesystem::path& path);

 private:
  BackupJob(Database& database, const Sealer& sealer, std::filesystem::path path,
            std::filesystem::path to, DatabaseCopy copy)
      : database_(&database),
        sealer_(&sealer),
        path_(std::move(path)),
        to_(std::move(to)),
        copy_(std::move(copy)) {}
  Result<BackupHead> head(WallTime now);

  Database* database_;
  const Sealer* sealer_;
  std::filesystem::path path_;  // empty: moved from
  std::filesystem::path to_;
  std::optional<DatabaseCopy> copy_;      // until the copy is complete
  std::optional<BackupWriter> writer_{};  // from then on
  WallTime made_at_{};
};

}  // namespace rota
