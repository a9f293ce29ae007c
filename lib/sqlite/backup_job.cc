#include "sqlite/backup_job.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "sqlite/files.h"
#include "sqlite/schema.h"
#include "sqlite/sqlite_store.h"
#include "sqlite/statements.h"

namespace rota {
namespace {

// One step of either kind takes about a millisecond, so that no commit waits long behind it.
constexpr int kStepPages = 512;
constexpr std::size_t kStepBytes = std::size_t{1} << 20U;

std::filesystem::path copy_of(std::filesystem::path path) { return path += ".copy"; }

// Rota's own commits need the disk's last free bytes more than a backup does.
Result<void> require_room(Database& database, const std::filesystem::path& path) {
  ROTA_ASSIGN(const std::int64_t pages, database.number("PRAGMA page_count"));
  ROTA_ASSIGN(const std::int64_t page_bytes, database.number("PRAGMA page_size"));
  constexpr std::uint64_t kSpareBytes = std::uint64_t{32} << 20U;
  const std::uint64_t needed = 2 * static_cast<std::uint64_t>(pages * page_bytes) + kSpareBytes;
  struct statvfs disk{};
  if (::statvfs(path.parent_path().c_str(), &disk) != 0) {
    return os_failure(path.parent_path(), "cannot tell how much room there is", errno);
  }
  const std::uint64_t room = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (room >= needed) return {};
  constexpr std::uint64_t kMegabyte = 1'000'000;
  return fail(ErrorKind::kFull,
              fmt::format("{}: a backup needs {} MB there for a moment, and only {} MB are free",
                          path.parent_path().string(), needed / kMegabyte + 1, room / kMegabyte));
}

}  // namespace

std::filesystem::path WaitingBackups::folder_of(std::filesystem::path database) {
  return database += ".backups";
}

void WaitingBackups::remove_all(const std::filesystem::path& database) {
  std::error_code ignored;
  std::filesystem::remove_all(folder_of(database), ignored);
}

Result<std::filesystem::path> WaitingBackups::make_room() {
  if (::mkdir(folder_.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return os_failure(folder_, "cannot create", errno);
  }
  while (waiting_.size() >= kWaitingMax) {
    ::unlink(waiting_.front().c_str());
    waiting_.pop_front();
  }
  return folder_ / fmt::to_string(++last_number_);
}

BackupJob::BackupJob(BackupJob&& other) noexcept
    : database_(other.database_),
      sealer_(other.sealer_),
      path_(std::exchange(other.path_, {})),
      to_(std::move(other.to_)),
      copy_(std::move(other.copy_)),
      writer_(std::move(other.writer_)),
      made_at_(other.made_at_) {}

BackupJob::~BackupJob() {
  copy_.reset();
  if (!path_.empty()) ::unlink(copy_of(path_).c_str());
}

void BackupJob::remove_copy(const std::filesystem::path& path) { ::unlink(copy_of(path).c_str()); }

Result<BackupJob> BackupJob::begin(Database& database, const Sealer& sealer,
                                   const std::filesystem::path& path, std::filesystem::path to) {
  remove_copy(path);
  ROTA_TRY(require_room(database, path));
  const std::filesystem::path copy = copy_of(path);
  {
    const OpenFile file(
        ::open(copy.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return os_failure(copy, "cannot create", errno);
  }
  auto begun = DatabaseCopy::begin(database, copy);
  if (!begun) {
    ::unlink(copy.c_str());
    return std::unexpected(std::move(begun).error());
  }
  return BackupJob(database, sealer, path, std::move(to), *std::move(begun));
}

// Asked of the database in the step that completed the copy, so it is the copy's.
Result<BackupHead> BackupJob::head(WallTime now) {
  ROTA_ASSIGN(const std::int64_t community, database_->number(sql::kOneCommunity));
  ROTA_ASSIGN(const std::int64_t members, database_->number(sql::kCountMembers));
  ROTA_ASSIGN(const std::int64_t commit, database_->number(sql::kLoadCommits));
  return BackupHead{.made_at = now,
                    .rota = ROTA_VERSION,
                    .schema = schema_version(),
                    .community = community,
                    .members = members,
                    .commit = commit,
                    .database = sealer_->database(),
                    .key = sealer_->key_id()};
}

Result<std::optional<Backup>> BackupJob::step(WallTime now) {
  if (copy_) {
    ROTA_ASSIGN(const bool complete, copy_->step(kStepPages));
    if (!complete) return std::nullopt;
    copy_.reset();
    made_at_ = now;
    ROTA_ASSIGN(const BackupHead made, head(now));
    ROTA_ASSIGN(auto writer, BackupWriter::begin(*sealer_, made, copy_of(path_), to_));
    writer_.emplace(std::move(writer));
    return std::nullopt;
  }
  ROTA_ASSIGN(const bool complete, writer_->step(kStepBytes));
  if (!complete) return std::nullopt;
  return Backup{.path = to_.string(), .bytes = writer_->bytes_written(), .made_at = made_at_};
}

// One job at a time. Another thread than before may go on with it.
Result<std::optional<Backup>> SqliteStore::continue_backup(WallTime now) {
  ROTA_TRY(files_.require(database_));
  if (!backup_) {
    ROTA_ASSIGN(std::filesystem::path to, waiting_backups_.make_room());
    ROTA_ASSIGN(auto begun, BackupJob::begin(database_, sealer_, path_, std::move(to)));
    backup_.emplace(std::move(begun));
  }
  auto done = backup_->step(now);
  if (done && *done) waiting_backups_.add((*done)->path);
  if (!done || *done) backup_.reset();
  return done;
}

}  // namespace rota
