#pragma once

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
struct sqlite3_stmt;

namespace rota {

// A prepared statement. Belongs to its Database, which must outlive it; one thread at a time.
class Statement {
 public:
  Statement() = default;

  // Binds ?1, ?2, … and runs a statement that gives no rows.
  template <class... Args>
  Result<void> run(const Args&... args) {
    bind_all(args...);
    return run_bound();
  }

  // Runs a query: `row(statement)` is called for each row and returns Result<void>, whose error
  // ends the query.
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

  // Columns of the row at hand, counted from 0; text and bytes are valid until the next row.
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
  Result<bool> step();  // true: there is a row; otherwise the statement is reset
  void reset();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_failure_ = 0;  // SQLite's code for the first argument that it refused
};

// A connection to one SQLite file; with its .cc the only place that knows SQLite. One thread at a
// time; movable; errors are
//   kBusy     another program has the file locked
//   kFull     no space left
//   kIo       the system refused to read or write
//   kCorrupt  the file is no database, or a damaged one
//   kInvalid  a constraint of the schema is broken
//   kBug      anything else: wrong SQL or wrong use
class Database {
 public:
  // Opens a file that exists. Nothing is read or written yet, and until keep_tidy_on_close()
  // closing it leaves the files as they are.
  static Result<Database> open(const std::filesystem::path& path);

  // An empty database that no file holds.
  static Result<Database> in_memory();

  // Runs any number of statements; rows are dropped.
  Result<void> execute(const char* sql);
  Result<Statement> prepare(const char* sql);
  // The first column of the first row, as a number; kBug when there is no row.
  Result<std::int64_t> number(const char* sql);

  // Triggers run from here on, or do not; they do at first.
  Result<void> run_triggers(bool on);

  // Rolls back what is open, if anything is.
  void roll_back();
  // Moves the whole journal into the database and cuts the journal to nothing.
  Result<void> checkpoint();
  // From here on the last close checkpoints the journal and removes it.
  Result<void> keep_tidy_on_close();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  explicit Database(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace rota
