#include "sqlite/database_restore.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "sqlite/files.h"
#include "sqlite/mark_file.h"
#include "store/load_with_values.h"

namespace rota {
namespace {

constexpr std::size_t kBatchMutations = 4'096;

std::filesystem::path with(std::filesystem::path path, std::string_view suffix) {
  return path += suffix;
}

bool is_there(const std::filesystem::path& path) {
  struct stat found{};
  return ::lstat(path.c_str(), &found) == 0;
}

}  // namespace

DatabaseRestore::~DatabaseRestore() {
  copy_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder(), ignored);
}

Result<Sealer> DatabaseRestore::sealer() const {
  return Sealer::create(Secret(store_key_.reveal()));
}

std::filesystem::path DatabaseRestore::folder() const { return with(path_, ".restoring"); }
std::filesystem::path DatabaseRestore::copy() const { return folder() / "copy.db"; }

Result<DatabaseRestore::Present> DatabaseRestore::look_at_present() {
  ROTA_TRY(require_directory_of(path_));
  Present found;
  if (is_there(path_)) {
    ROTA_ASSIGN(Sealer own, sealer());
    auto opened = SqliteStore::open(path_, std::move(own));
    auto loaded = opened ? load_with_values(**opened) : std::unexpected(opened.error());
    if (loaded) {
      found.snapshot = *std::move(loaded);
      found.database = (*opened)->database_id();
      present_ = *std::move(opened);
      knows_present_ = true;
      return found;
    }
    if (loaded.error().kind == ErrorKind::kBusy) return std::unexpected(loaded.error());
    found.problem = loaded.error().message;
  } else {
    found.problem = path_.string() + " does not exist";
  }
  ROTA_ASSIGN(LockFile lock, LockFile::acquire(path_));
  lock_.emplace(std::move(lock));
  return found;
}

Result<bool> DatabaseRestore::has_key_of(const BackupReader& backup) const {
  ROTA_ASSIGN(const Sealer own, sealer());
  return own.key_id() == backup.head().key;
}

Result<Snapshot> DatabaseRestore::unseal(const BackupReader& backup,
                                         const std::optional<Secret>& earlier_key) {
  std::error_code ignored;
  std::filesystem::remove_all(folder(), ignored);  // a restore that was cut off leaves it
  if (::mkdir(folder().c_str(), S_IRWXU) != 0) return os_failure(folder(), "cannot create", errno);
  ROTA_ASSIGN(Sealer of_backup,
              earlier_key ? Sealer::create(Secret(earlier_key->reveal())) : sealer());
  ROTA_TRY(backup.unseal(of_backup, copy()));
  ROTA_ASSIGN(copy_, SqliteStore::open(copy(), std::move(of_backup)));
  if (earlier_key) {
    ROTA_ASSIGN(Sealer own, sealer());
    ROTA_TRY(copy_->rekey(std::move(own)));
  }
  return load_with_values(*copy_);
}

Result<std::filesystem::path> DatabaseRestore::put_in_place(std::span<const Mutation> mutations,
                                                            const AuditNote& note, WallTime now) {
  ROTA_CHECK(copy_ != nullptr);
  const MarkFile mark(path_);
  MarkFile::Mark known = mark.read().value_or(MarkFile::Mark{});
  if (known.database != copy_->database_id()) known.commit = 0;
  // So that a copy from before this restore is still found out to be older.
  copy_->count_commits_from(known.commit);
  if (present_) copy_->count_commits_from(present_->commits());
  while (!mutations.empty()) {
    const auto batch = mutations.first(std::min(mutations.size(), kBatchMutations));
    ROTA_TRY(copy_->commit(batch));
    mutations = mutations.subspan(batch.size());
  }
  ROTA_TRY(copy_->append_audit({&note, 1}, AuditBounds{}, std::nullopt));
  // Without a present database the next start says, too, what nobody can know.
  known = {.database = copy_->database_id(), .commit = copy_->commits() + (knows_present_ ? 0 : 1)};
  ROTA_TRY(SqliteStore::close(std::move(copy_)).tidy);

  ROTA_ASSIGN(std::filesystem::path before, keep_present(now));
  mark.write(known);
  if (std::rename(copy().c_str(), path_.c_str()) != 0) {
    return os_failure(path_, "cannot replace", errno);
  }
  ROTA_TRY(sync_directory_of(path_));
  return before;
}

// Gives it a second name, so that the database is never missing. A restore that was cut off in the
// same second has used the first one.
Result<std::filesystem::path> DatabaseRestore::keep_present(WallTime now) {
  if (present_) {
    SqliteStore::Closed closed = SqliteStore::close(std::move(present_));
    lock_.emplace(std::move(closed.lock));
    ROTA_TRY(closed.tidy);
  }
  const std::string at =
      fmt::format(".before-{:%Y%m%dT%H%M%SZ}", std::chrono::floor<std::chrono::seconds>(now));
  std::filesystem::path as = with(path_, at);
  const bool exists = is_there(path_);
  for (int other = 2; exists && ::link(path_.c_str(), as.c_str()) != 0; ++other) {
    if (errno != EEXIST) return os_failure(as, "cannot create", errno);
    as = with(path_, fmt::format("{}-{}", at, other));
  }
  // A database that Rota cannot read, or that is gone, may have left its log, which must not meet
  // the copy.
  for (const std::string_view suffix : {"-wal", "-journal", "-shm"}) {
    const std::filesystem::path log = with(path_, suffix);
    if (is_there(log) && std::rename(log.c_str(), with(as, suffix).c_str()) != 0) {
      return os_failure(log, "cannot rename", errno);
    }
  }
  return exists ? as : std::filesystem::path();
}

}  // namespace rota
