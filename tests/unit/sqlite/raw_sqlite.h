#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "sqlite/database.h"
#include "sqlite/schema.h"
#include "sqlite/sealer.h"
#include "sqlite/sqlite_store.h"
#include "support/store_rows.h"
#include "support/temp_directory.h"

namespace rota::testing {

// The file as another program sees it. Open it only while no store has it.
class RawSqlite {
 public:
  explicit RawSqlite(const std::filesystem::path& path) {
    EXPECT_EQ(SQLITE_OK, sqlite3_open(path.c_str(), &database_));
  }
  ~RawSqlite() { sqlite3_close(database_); }
  RawSqlite(const RawSqlite&) = delete;
  RawSqlite& operator=(const RawSqlite&) = delete;

  void run(const std::string& sql) {
    EXPECT_EQ(SQLITE_OK, sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr))
        << sqlite3_errmsg(database_);
  }
  // One column of the first row, as bytes.
  std::string value(const std::string& sql, int column = 0) {
    sqlite3_stmt* query = nullptr;
    EXPECT_EQ(SQLITE_OK, sqlite3_prepare_v2(database_, sql.c_str(), -1, &query, nullptr))
        << sqlite3_errmsg(database_);
    std::string result;
    if (sqlite3_step(query) == SQLITE_ROW) {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(query, column));
      result.assign(bytes == nullptr ? "" : bytes,
                    static_cast<std::size_t>(sqlite3_column_bytes(query, column)));
    } else {
      ADD_FAILURE() << "no row: " << sql;
    }
    sqlite3_finalize(query);
    return result;
  }
  // As if the program died here: the journal stays beside the database.
  void leave_journal_behind() {
    sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }

 private:
  sqlite3* database_ = nullptr;
};

inline Sealer make_sealer(char key = 'k') {
  return *Sealer::create(Secret(std::string(kStoreKeyBytes, key)));
}

inline std::string hex(const SealedBytes& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

// The id of the database, of schema 6 or later.
inline DatabaseId database_id(RawSqlite& raw) {
  const std::string bytes = raw.value("SELECT database FROM key_check");
  DatabaseId id{};
  EXPECT_EQ(id.size(), bytes.size());
  if (id.size() == bytes.size()) std::ranges::copy(bytes, id.begin());
  return id;
}

// Makes the database at `path` one that a Rota of this schema wrote, with the rows that it has: for
// each table, the columns that there were. The key check is of that version; the seals of rows stay
// as they are.
inline void make_older(const std::filesystem::path& path, std::int64_t version) {
  std::filesystem::path older = path;
  older += ".older";
  {
    RawSqlite(older).run("PRAGMA application_id = 1");  // an empty file is no database yet
    auto database = Database::open(older);
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_TRUE(migrate(*database, version));
  }
  {
    RawSqlite raw(older);
    raw.run("PRAGMA journal_mode = WAL; ATTACH '" + path.string() + "' AS now");
    const std::string copies = raw.value(
        "SELECT group_concat('INSERT INTO main.' || name || ' SELECT ' || columns || ' FROM now.'"
        " || name, ';') FROM (SELECT t.name AS name, group_concat('\"' || c.name || '\"') AS "
        "columns"
        " FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
        " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' GROUP BY t.name)");
    raw.run("PRAGMA foreign_keys = OFF;" + copies);
    Sealer sealer = make_sealer();
    SealForm form = version < 5 ? SealForm::kFirst : SealForm::kSecond;
    if (version >= 6) {
      form = version == 6 ? SealForm::kThird : kNewestForm;
      sealer.bind_to(database_id(raw));
    }
    raw.run("UPDATE key_check SET sealed = x'" + hex(sealer.seal_key_check(form)) + "'");
  }
  std::filesystem::rename(older, path);
}

// Seals all rows of the database at `path` in an older form; the key check stays as it is. All
// salts are zero afterwards.
inline void seal_as(const std::filesystem::path& path, SealForm form) {
  Snapshot all;
  {
    auto store = SqliteStore::open(path, make_sealer());
    ASSERT_TRUE(store) << store.error().message;
    auto loaded = load_all(**store);
    ASSERT_TRUE(loaded) << loaded.error().message;
    all = *std::move(loaded);
  }
  RawSqlite raw(path);
  Sealer sealer = make_sealer();
  sealer.bind_to(database_id(raw));
  for (const MemberRecord& member : all.members) {
    MemberSeal seal{};
    if (form != SealForm::kFirst) seal = sealer.seal(member, {}, form);
    raw.run(fmt::format("UPDATE member SET salt = zeroblob(16), seal = x'{}' WHERE id = {}",
                        hex(SealedBytes(seal.begin(), seal.end())), std::to_underlying(member.id)));
    for (const Token& token : member.tokens) {
      const TokenBinding place = binding_of(token, member.id, {});
      raw.run(fmt::format("UPDATE token SET sealed = x'{}' WHERE id = {}",
                          hex(sealer.seal(*token.value, place, form)),
                          std::to_underlying(token.id)));
    }
  }
}

// A folder with one database in it, and the store on that.
class SqliteTest : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_ / "rota.db"; }

  Result<std::unique_ptr<SqliteStore>> try_open(char key = 'k') {
    return SqliteStore::open(path(), make_sealer(key));
  }
  Error open_fails(char key = 'k') {
    auto opened = try_open(key);
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  std::unique_ptr<SqliteStore> open() {
    auto opened = try_open();
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
  }
  static void commit(SqliteStore& store, const Batch& batch) {
    const Result<void> done = store.commit(batch);
    ASSERT_TRUE(done) << done.error().message;
  }
  static Snapshot load(SqliteStore& store) {
    Result<Snapshot> loaded = load_all(store);
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? *std::move(loaded) : Snapshot{};
  }

  TempDirectory folder_;
};

}  // namespace rota::testing
