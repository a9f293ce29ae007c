// The settings of the database, and why:
//
//   locking_mode = EXCLUSIVE   no other program can open the database while the daemon runs. A
//                              reader could hold back the checkpoint that really erases revoked
//                              tokens; a writer could change what the daemon has in memory. There
//                              is no shared-memory file either. `rota` shows the state instead.
//   page_size = 2048           for a new database. A commit writes whole pages, most of them for
//                              one row each. Three tokens fit on a page, and nearly fill it.
//   journal_mode = WAL         one sync for each commit
//   wal_autocheckpoint         14 MiB: a page that many commits change is moved into the database
//                              once for all of them
//   synchronous = FULL         a commit waits for that sync: durable before visible
//   secure_delete = ON         erased rows are overwritten with zeros
//   temp_store = MEMORY        no temporary files
//   foreign_keys = OFF         SqliteStore itself removes what belongs to a member. SQLite would
//                              look at all tokens for it
//
// A new database is completed under `<path>.new` and then renamed. So a file with the right name is
// never half a database, even if something stops its making, and the check of its header can be
// strict.

#include "sqlite/database_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "sqlite/files.h"
#include "sqlite/schema.h"
#include "sqlite/schema_check.h"
#include "sqlite/statements.h"

namespace rota {
namespace {

enum class FileState { kMissing, kRota };

// SQLite's file format, 1.3: the header of the first page.
constexpr std::size_t kHeaderBytes = 100;
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kUserVersionAt = 60;
constexpr std::size_t kApplicationIdAt = 68;

std::filesystem::path beside(const std::filesystem::path& path, std::string_view suffix) {
  std::filesystem::path result = path;
  result += suffix;
  return result;
}

std::uint32_t big_endian_at(std::span<const unsigned char> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (const unsigned char byte : bytes.subspan(at, 4)) value = (value << 8U) | byte;
  return value;
}

Result<void> require_known_version(const std::filesystem::path& path, std::int64_t found) {
  if (found < 0) {
    return fail(
        ErrorKind::kCorrupt,
        fmt::format("{} has schema {}, which no version of Rota writes", path.string(), found));
  }
  if (found <= schema_version()) return {};
  return fail(
      ErrorKind::kCorrupt,
      fmt::format(
          "{} has schema {}, but this rotad knows schemas up to {} only: a newer rotad wrote it",
          path.string(), found, schema_version()));
}

Result<void> inspect_header(const std::filesystem::path& path,
                            std::span<const unsigned char> header) {
  if (header.size() < kHeaderBytes ||
      std::memcmp(header.data(), kMagic.data(), kMagic.size()) != 0) {
    return fail(ErrorKind::kCorrupt, path.string() + " is not a database");
  }
  if (big_endian_at(header, kApplicationIdAt) != kApplicationId) {
    return fail(ErrorKind::kCorrupt, path.string() + " is the database of another program");
  }
  return require_known_version(path, big_endian_at(header, kUserVersionAt));
}

// Looks at the bytes before SQLite does, since SQLite could roll back a foreign file's journal.
Result<FileState> inspect(const std::filesystem::path& path) {
  // O_RDWR, to find out now if we may not write; O_NONBLOCK, in case it is a pipe.
  const OpenFile file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT) return FileState::kMissing;
    return os_failure(path, "cannot open", errno);
  }
  struct stat found{};
  if (::fstat(file.get(), &found) != 0) return os_failure(path, "cannot read", errno);
  if (!S_ISREG(found.st_mode)) {
    return fail(ErrorKind::kConfig, path.string() + " is not a regular file");
  }
  if (found.st_size == 0) return FileState::kMissing;

  std::array<unsigned char, kHeaderBytes> header{};
  const ssize_t size = ::pread(file.get(), header.data(), header.size(), 0);
  if (size < 0) return os_failure(path, "cannot read", errno);
  ROTA_TRY(inspect_header(path, std::span(header).first(static_cast<std::size_t>(size))));
  return FileState::kRota;
}

void remove_new_file(const std::filesystem::path& path) {
  for (const std::string_view suffix : {"", "-wal", "-journal", "-shm"}) {
    ::unlink(beside(path, suffix).c_str());
  }
}

// If there is a rollback journal, SQLite writes its pages into the database before we can look, and
// removes the file that the journal names. A complete database of Rota's never has one. The
// write-ahead log must be missing, or be a regular file that Rota can have made.
Result<void> require_own_journals(const std::filesystem::path& path) {
  struct stat found{};
  const std::filesystem::path rollback = beside(path, "-journal");
  if (::lstat(rollback.c_str(), &found) == 0) {
    return fail(ErrorKind::kCorrupt,
                fmt::format("{} exists, and Rota never writes one: another program has changed the "
                            "database. Restore a copy of the database, or remove the journal",
                            rollback.string()));
  }
  const std::filesystem::path log = beside(path, "-wal");
  if (::lstat(log.c_str(), &found) == 0 && (!S_ISREG(found.st_mode) || found.st_nlink != 1)) {
    return fail(
        ErrorKind::kCorrupt,
        log.string() + " is not a regular file with a single hard link: Rota did not create it");
  }
  return {};
}

// If there is a log without its database, SQLite would throw it away, and committed tokens with it.
Result<void> require_no_journal(const std::filesystem::path& path) {
  const std::filesystem::path journal = beside(path, "-wal");
  struct stat found{};
  if (::stat(journal.c_str(), &found) != 0 || found.st_size == 0) return {};
  return fail(ErrorKind::kCorrupt,
              fmt::format("{} is missing or empty, but its journal {} exists: restore the "
                          "database, or remove the journal as well",
                          path.string(), journal.string()));
}

// In pages, and a database of an earlier Rota has larger ones. Less than journal_size_limit, past
// which the log would be cut, and so grow again, at each checkpoint.
Result<void> set_checkpoint_distance(Database& database) {
  constexpr std::int64_t kLogBytes = 14 * 1024 * 1024;
  ROTA_ASSIGN(const std::int64_t page_bytes, database.number("PRAGMA page_size"));
  return database.execute(
      fmt::format("PRAGMA wal_autocheckpoint = {}", kLogBytes / page_bytes).c_str());
}

Result<Database> open_settled(const std::filesystem::path& path) {
  ROTA_ASSIGN(Database database, Database::open(path));
  // Until the version is known, only settings of the connection. The version in the header may be
  // older than the one in the log, and only SQLite can read the log.
  ROTA_TRY(
      database.execute("PRAGMA page_size = 2048;"
                       "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON"));
  ROTA_ASSIGN(const std::int64_t version, database.number("PRAGMA user_version"));
  ROTA_TRY(require_known_version(path, version));
  if (Result<void> ours = require_our_schema(database, version); !ours) {
    ours.error().message = path.string() + ": " + ours.error().message;
    return std::unexpected(std::move(ours).error());
  }

  ROTA_TRY(database.keep_tidy_on_close());
  ROTA_TRY(database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
      "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -8192;"
      "PRAGMA journal_size_limit = 16777216"));
  ROTA_TRY(set_checkpoint_distance(database));
  ROTA_ASSIGN(const std::int64_t wal,
              database.number("SELECT journal_mode = 'wal' FROM pragma_journal_mode"));
  if (wal == 0) {
    return fail(ErrorKind::kIo, path.string() + ": SQLite cannot keep a write-ahead log here");
  }
  ROTA_TRY(migrate(database));
  return database;
}

Result<void> fill_new_file(const std::filesystem::path& path, Sealer& sealer) {
  {
    const OpenFile file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return os_failure(path, "cannot create", errno);
  }
  ROTA_ASSIGN(Database database, open_settled(path));
  {
    ROTA_ASSIGN(Statement put, database.prepare(sql::kPutKeyCheck));
    sealer.bind_to(Sealer::draw_database_id());
    const SealedBytes sealed = sealer.seal_key_check();
    ROTA_TRY(put.run(std::span(sealer.key_id()), std::span(sealed), std::span(sealer.database())));
  }
  // Closing would do this too, but could not report a failure.
  return database.checkpoint();
}

Result<void> create(const std::filesystem::path& path, Sealer& sealer) {
  ROTA_TRY(require_no_journal(path));
  const std::filesystem::path fresh = beside(path, ".new");
  remove_new_file(fresh);  // an interrupted attempt may have left one
  if (Result<void> filled = fill_new_file(fresh, sealer); !filled) {
    remove_new_file(fresh);
    return filled;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return os_failure(path, "cannot create", errno);
  return sync_directory_of(path);
}

Result<SealForm> require_fitting_key(const std::filesystem::path& path, Database& database,
                                     Sealer& sealer) {
  ROTA_ASSIGN(Statement load, database.prepare(sql::kLoadKeyCheck));
  bool same_key = false;
  std::optional<SealForm> form;
  ROTA_TRY(load.for_each([&](const Statement& row) -> Result<void> {
    same_key = std::ranges::equal(row.bytes(0), sealer.key_id());
    sealer.bind_to(read_salt(row.bytes(2)).value_or(DatabaseId{}));
    form = sealer.form_of_key_check(row.bytes(1));
    return {};
  }));
  if (form) return *form;
  if (same_key) {
    return fail(ErrorKind::kCorrupt, path.string() + ": the key check is damaged");
  }
  return fail(ErrorKind::kConfig,
              "the store key is not the one of this database: " + path.string());
}

}  // namespace

Result<DatabaseFile> open_database_file(const std::filesystem::path& path, Sealer& sealer) {
  ROTA_ASSIGN(const FileState state, inspect(path));
  ROTA_TRY(require_own_journals(path));
  if (state == FileState::kMissing) ROTA_TRY(create(path, sealer));
  ROTA_ASSIGN(Database database, open_settled(path));
  ROTA_ASSIGN(const SealForm form, require_fitting_key(path, database, sealer));
  return DatabaseFile{
      .database = std::move(database), .form = form, .is_new = state == FileState::kMissing};
}

}  // namespace rota
