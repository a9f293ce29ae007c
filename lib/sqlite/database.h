#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_backup;
struct sqlite3_stmt;

namespace rota {

// A prepared statement. Its Database must outlive it. One thread at a time may use the two.
class Statement {
 public:
  Statement() = default;

  // Binds ?1, ?2, … and runs a statement that gives no rows.
  template <class... Args>
  Result<void> run(const Args&... args) {
    bind_all(args...);
    return run_bound();
  }

  // Runs a query and calls `row(statement)` for each row. If that returns an error, the query ends
  // with it.
  template <std::invocable<const Statement&> Row, class... Args>
  Result<void> for_each(Row row, const Args&... args) {
    bind_all(args...);
    ROTA_TRY(check_bound());
    while (true) {
      const Result<bool> more = step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      if (Result<void> done = row(*this); !done) {
        reset();
        return done;
      }
    }
  }

  // Columns of the current row, counted from 0. Text and bytes are valid until the next row.
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  std::span<const unsigned char> bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  template <class... Args>
  void bind_all(const Args&... args) {
    int index = 0;
    (bind(++index, args), ...);
  }
  // The bytes are not copied: they must live until the statement has run.
  void bind(int index, std::int64_t value);
  void bind(int index, std::optional<std::int64_t> value);
  void bind(int index, std::string_view value);
  void bind(int index, std::span<const unsigned char> value);

  Result<void> check_bound();
  Result<void> run_bound();
  Result<bool> step();  // true if there is a row; otherwise it has reset the statement
  void reset();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_failure_ = 0;  // SQLite's code for the first argument that it refused
};

// The two files of a database.
enum class DatabasePart {
  kDatabase,
  kLog,  // the write-ahead log
};
// The first bytes of a file, with zeros after its end; SQLite's own headers are no longer.
using FileHead = std::array<unsigned char, 100>;

// A connection to one SQLite file. Only this header and its .cc know SQLite. One thread at a time.
// Its errors are
//   kBusy     another program has the file locked
//   kFull     no space left
//   kIo       the system refused to read or write
//   kCorrupt  the file is not a database, or is damaged
//   kInvalid  a constraint of the schema is broken
//   kBug      anything else: wrong SQL or wrong use
class Database {
 public:
  // Opens a file that exists. Nothing is read or written yet. Until keep_tidy_on_close(), closing
  // leaves the files as they are.
  static Result<Database> open(const std::filesystem::path& path);

  // An empty database in memory.
  static Result<Database> in_memory();

  // Runs any number of statements; rows are dropped.
  Result<void> execute(const char* sql);
  // Prepares one statement.
  Result<Statement> prepare(const char* sql);
  // The first column of the first row, as a number; kBug if there is no row.
  Result<std::int64_t> number(const char* sql);

  // Whether triggers run from now on. After open() they do.
  Result<void> run_triggers(bool on);

  // Frees the pages that are kept in memory to be read again.
  void free_pages();

  // Rolls back the open transaction, if there is one.
  void roll_back();
  // Moves all of the write-ahead log into the database file and cuts the log to length 0.
  Result<void> checkpoint();
  // From now on, closing moves the log into the database file and removes the log.
  Result<void> keep_tidy_on_close();
  // From now on, closing leaves both files as they are.
  Result<void> leave_as_is_on_close();

  // How a file begins on disk now, whatever SQLite has in memory; none: it cannot be read.
  std::optional<FileHead> head_of(DatabasePart part) const;

 private:
  friend class DatabaseCopy;
  struct Close {
    void operator()(sqlite3* database) const;
  };

  explicit Database(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, Close> database_;
};

// A copy of a database, made in steps, between which the database may be used as ever. What is
// written through its own connection meanwhile is in the copy as well, so the copy is the database
// as it is at the last step. Neither must be used by another thread during a step. Errors as above.
class DatabaseCopy {
 public:
  // `path`: an empty file. `source` must outlive the copy.
  static Result<DatabaseCopy> begin(Database& source, const std::filesystem::path& path);

  // Copies this many pages. True: the copy is complete, and its file is closed. It is not synced.
  Result<bool> step(int pages);

 private:
  struct Finish {
    void operator()(sqlite3_backup* backup) const;
  };
  DatabaseCopy(Database target, sqlite3_backup* backup)
      : target_(std::move(target)), backup_(backup) {}

  // In this order, so that the copying ends before the file is closed.
  std::optional<Database> target_;
  std::unique_ptr<sqlite3_backup, Finish> backup_;
};

}  // namespace rota
