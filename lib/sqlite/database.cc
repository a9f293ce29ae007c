#include "sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <string>
#include <system_error>

#include "sqlite/files.h"

namespace rota {
namespace {

// The errno of the last write that failed, in the journal or in the database. SQLite itself tells
// only ENOSPC apart; it calls a quota or a size limit just an I/O error.
int last_errno_of(sqlite3* database) {
  for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
    sqlite3_file* file = nullptr;
    int reason = 0;
    if (sqlite3_file_control(database, "main", which, &file) == SQLITE_OK && file != nullptr &&
        file->pMethods != nullptr &&
        file->pMethods->xFileControl != nullptr &&  // a journal in memory has none
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &reason) == SQLITE_OK &&
        reason != 0) {
      return reason;
    }
  }
  return sqlite3_system_errno(database);
}

ErrorKind kind_of(sqlite3* database, int code) {
  constexpr int kPrimaryMask = 0xff;
  switch (code & kPrimaryMask) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::kBusy;
    case SQLITE_FULL:
      return ErrorKind::kFull;
    case SQLITE_IOERR:
      return means_full(last_errno_of(database)) ? ErrorKind::kFull : ErrorKind::kIo;
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return ErrorKind::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::kCorrupt;
    case SQLITE_CONSTRAINT:
      return ErrorKind::kInvalid;
    default:  // plain
      return ErrorKind::kBug;
  }
}

// Names the file, what SQLite says and, if there is one, the system's own reason. SQLite's words
// hold names of tables and columns, never values.
std::unexpected<Error> failure_of(sqlite3* database, int code) {
  const ErrorKind kind = kind_of(database, code);
  const char* file = sqlite3_db_filename(database, "main");
  std::string message = fmt::format("{}: {} (SQLite {})", file == nullptr ? "store" : file,
                                    sqlite3_errmsg(database), code);
  const int reason = last_errno_of(database);
  if (reason != 0 && (kind == ErrorKind::kIo || kind == ErrorKind::kFull)) {
    message += ": " + std::generic_category().message(reason);
  }
  return fail(kind, std::move(message));
}

Result<void> done(sqlite3* database, int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE) return {};
  return failure_of(database, code);
}

// SQLite counts the memory that it uses under a mutex, at each allocation, and nobody asks for it.
// To be called before anything else of SQLite's.
void count_no_memory() {
  [[maybe_unused]] static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto bytes_at = bytes(column);
  return {reinterpret_cast<const char*>(bytes_at.data()), bytes_at.size()};
}

std::span<const unsigned char> Statement::bytes(int column) const {
  // First the pointer, then the size, as SQLite's documentation asks.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const unsigned char*>(data), static_cast<std::size_t>(size)};
}

void Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), index, value);
  if (bind_failure_ == SQLITE_OK) bind_failure_ = code;
}

void Statement::bind(int index, std::optional<std::int64_t> value) {
  if (value) return bind(index, *value);
  const int code = sqlite3_bind_null(statement_.get(), index);
  if (bind_failure_ == SQLITE_OK) bind_failure_ = code;
}

void Statement::bind(int index, std::string_view value) {
  // An empty view may have no address, and that would bind NULL.
  const char* data = value.empty() ? "" : value.data();
  const int code =
      sqlite3_bind_text64(statement_.get(), index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (bind_failure_ == SQLITE_OK) bind_failure_ = code;
}

void Statement::bind(int index, std::span<const unsigned char> value) {
  const int code =
      sqlite3_bind_blob64(statement_.get(), index, value.data(), value.size(), SQLITE_STATIC);
  if (bind_failure_ == SQLITE_OK) bind_failure_ = code;
}

Result<void> Statement::check_bound() {
  if (bind_failure_ == SQLITE_OK) return {};
  const int code = std::exchange(bind_failure_, SQLITE_OK);
  auto failure = failure_of(sqlite3_db_handle(statement_.get()), code);
  reset();
  return failure;
}

Result<void> Statement::run_bound() {
  ROTA_TRY(check_bound());
  while (true) {
    const Result<bool> more = step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
  }
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  // Read the error before the reset, which loses it; reset before a caller rolls back.
  Result<void> ended = done(sqlite3_db_handle(statement_.get()), code);
  reset();
  if (!ended) return std::unexpected(std::move(ended).error());
  return false;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());  // they point to bytes that the caller may free now
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::filesystem::path& path) {
  // SQLite cannot take an absolute path for a URI or for ":memory:".
  const std::string name = std::filesystem::absolute(path).string();
  count_no_memory();
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(name.c_str(), &opened,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(opened);  // even if opening failed, the handle must be closed
  if (opened == nullptr) return fail(ErrorKind::kIo, name + ": no memory for SQLite");
  ROTA_TRY(done(opened, code));
  // Views are off, since Rota has none. A schema that somebody else wrote may call no function with
  // a side effect. Triggers are on for Rota's own; require_our_schema() finds others before they
  // run.
  for (const auto& [setting, value] :
       {std::pair{SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}, std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
        std::pair{SQLITE_DBCONFIG_ENABLE_VIEW, 0}, std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        std::pair{SQLITE_DBCONFIG_DQS_DDL, 0}, std::pair{SQLITE_DBCONFIG_DQS_DML, 0}}) {
    ROTA_TRY(done(opened, sqlite3_db_config(opened, setting, value, nullptr)));
  }
  sqlite3_limit(opened, SQLITE_LIMIT_ATTACHED, 0);
  return database;
}

Result<Database> Database::in_memory() {
  count_no_memory();
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(":memory:", &opened,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(opened);
  if (opened == nullptr) return fail(ErrorKind::kIo, "no memory for SQLite");
  ROTA_TRY(done(opened, code));
  return database;
}

Result<void> Database::execute(const char* sql) {
  return done(database_.get(), sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr));
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  ROTA_TRY(done(database_.get(), code));
  return Statement(statement);
}

Result<std::int64_t> Database::number(const char* sql) {
  ROTA_ASSIGN(Statement query, prepare(sql));
  std::optional<std::int64_t> value;
  ROTA_TRY(query.for_each([&value](const Statement& row) -> Result<void> {
    if (!value) value = row.integer(0);
    return {};
  }));
  if (!value) return fail(ErrorKind::kBug, fmt::format("no row: {}", sql));
  return *value;
}

Result<void> Database::run_triggers(bool on) {
  return done(database_.get(), sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER,
                                                 on ? 1 : 0, nullptr));
}

void Database::free_pages() { sqlite3_db_release_memory(database_.get()); }

void Database::roll_back() {
  if (sqlite3_get_autocommit(database_.get()) == 0) {
    // This can fail only if SQLite has rolled back by itself already.
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Result<void> Database::checkpoint() {
  return done(database_.get(),
              sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                        nullptr, nullptr));
}

std::optional<FileHead> Database::head_of(DatabasePart part) const {
  sqlite3_file* file = nullptr;
  const int which =
      part == DatabasePart::kDatabase ? SQLITE_FCNTL_FILE_POINTER : SQLITE_FCNTL_JOURNAL_POINTER;
  if (sqlite3_file_control(database_.get(), "main", which, &file) != SQLITE_OK || file == nullptr ||
      file->pMethods == nullptr) {
    return std::nullopt;
  }
  FileHead head{};
  // After the end of a short file SQLite puts zeros.
  const int code = file->pMethods->xRead(file, head.data(), static_cast<int>(head.size()), 0);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return std::nullopt;
  return head;
}

Result<void> Database::leave_as_is_on_close() {
  return done(database_.get(),
              sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr));
}

Result<void> Database::keep_tidy_on_close() {
  return done(database_.get(),
              sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr));
}

void DatabaseCopy::Finish::operator()(sqlite3_backup* backup) const {
  sqlite3_backup_finish(backup);
}

Result<DatabaseCopy> DatabaseCopy::begin(Database& source, const std::filesystem::path& path) {
  ROTA_ASSIGN(Database target, Database::open(path));
  // A copy that is cut off is thrown away, so nothing has to be synced or rolled back.
  ROTA_TRY(target.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY"));
  sqlite3_backup* const backup =
      sqlite3_backup_init(target.database_.get(), "main", source.database_.get(), "main");
  if (backup == nullptr) {
    return failure_of(target.database_.get(), sqlite3_errcode(target.database_.get()));
  }
  return DatabaseCopy(std::move(target), backup);
}

Result<bool> DatabaseCopy::step(int pages) {
  const int code = sqlite3_backup_step(backup_.get(), pages);
  if (code == SQLITE_OK) return false;
  if (code == SQLITE_DONE) {
    backup_.reset();
    target_.reset();
    return true;
  }
  // sqlite3_backup_step() leaves no message on either connection.
  return fail(
      kind_of(target_->database_.get(), code),
      fmt::format("{}: {} (SQLite {})", sqlite3_db_filename(target_->database_.get(), "main"),
                  sqlite3_errstr(code), code));
}

}  // namespace rota
