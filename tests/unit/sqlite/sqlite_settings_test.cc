// The settings that the promises stand on, asked of SQLite itself.

#include "raw_sqlite.h"
#include "sqlite/database_file.h"
#include "sqlite/statements.h"

namespace rota {
namespace {

using testing::make_member;
using testing::RawSqlite;
using testing::read_all;

class SqliteSettings : public testing::SqliteTest {
 protected:
  Sealer sealer_ = testing::make_sealer();
};

TEST_F(SqliteSettings, AreInForceOnANewAndOnAnOldDatabase) {
  for (const char* const age : {"new", "old"}) {
    SCOPED_TRACE(age);
    Result<DatabaseFile> file = open_database_file(path(), sealer_);
    ASSERT_TRUE(file) << file.error().message;
    Database& database = file->database;
    EXPECT_EQ(2, database.number("PRAGMA synchronous")) << "FULL";
    EXPECT_EQ(1, database.number("PRAGMA secure_delete"));
    EXPECT_EQ(2'048, database.number("PRAGMA page_size"));
    EXPECT_EQ(7'168, database.number("PRAGMA wal_autocheckpoint")) << "14 MiB";
    EXPECT_EQ(0, database.number("PRAGMA foreign_keys")) << "they would look for tokens";
    EXPECT_EQ(2, database.number("PRAGMA temp_store")) << "MEMORY";
    EXPECT_EQ(0, database.number("PRAGMA trusted_schema"));
    EXPECT_EQ(0, database.number("PRAGMA busy_timeout"));
    EXPECT_EQ(1, database.number("SELECT journal_mode = 'wal' FROM pragma_journal_mode"));
    EXPECT_EQ(1, database.number("SELECT locking_mode = 'exclusive' FROM pragma_locking_mode"));
    EXPECT_EQ(0x526f7461, database.number("PRAGMA application_id"));
    EXPECT_EQ(8, database.number("PRAGMA user_version"));
  }
}

TEST_F(SqliteSettings, EveryTableIsStrict) {
  Result<DatabaseFile> file = open_database_file(path(), sealer_);
  ASSERT_TRUE(file);
  Database& database = file->database;
  EXPECT_EQ(12, database.number("SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND "
                                "name NOT LIKE 'sqlite%'"));
  EXPECT_EQ(12, database.number("SELECT count(*) FROM pragma_table_list WHERE strict = 1"));
}

// Rows come in the order of their keys: at a start nothing is sorted, and no temporary table made.
TEST_F(SqliteSettings, AStartSortsNothing) {
  open().reset();
  RawSqlite raw(path());
  for (const char* const query :
       {sql::kLoadMembers, sql::kLoadSelectors, sql::kLoadTags, sql::kLoadEnrolments,
        sql::kLoadEnrolmentTags, sql::kLoadHandles, sql::kLoadTokens, sql::kLoadCalls}) {
    constexpr int kDetail = 3;
    const std::string plan = raw.value(std::string("EXPLAIN QUERY PLAN ") + query, kDetail);
    EXPECT_THAT(plan, ::testing::StartsWith("SCAN")) << query;
    EXPECT_THAT(plan, ::testing::Not(::testing::HasSubstr("TEMP B-TREE"))) << query;
  }
}

TEST_F(SqliteSettings, NoSharedMemoryFileAndAJournalThatACloseRemoves) {
  auto store = open();
  commit(*store, {PutMember{make_member(1)}});
  EXPECT_TRUE(read_all(folder_.path()).at("rota.db-wal").empty())
      << "what a dead process left goes";
  commit(*store, {PutMember{make_member(1)}});
  EXPECT_FALSE(read_all(folder_.path()).contains("rota.db-shm"));
  EXPECT_FALSE(read_all(folder_.path()).at("rota.db-wal").empty());
  store.reset();
  EXPECT_EQ(3U, read_all(folder_.path()).size()) << "the database, the mark and the lock";
}

TEST_F(SqliteSettings, NobodyElseReadsWhileTheDaemonRuns) {
  auto store = open();
  commit(*store, {PutMember{make_member(1)}});
  sqlite3* other = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(path().c_str(), &other));
  EXPECT_EQ(SQLITE_BUSY,
            sqlite3_exec(other, "SELECT count(*) FROM member", nullptr, nullptr, nullptr));
  sqlite3_close(other);
  commit(*store, {PutMember{make_member(2)}});
}

TEST_F(SqliteSettings, AHeaderThatSaysRotaOnTheFirstSyncAlready) {
  auto store = open();
  // Read past SQLite, journal not counted: what inspect() of a later start goes by.
  const std::string header = testing::read_bytes(path()).substr(0, 100);
  EXPECT_EQ("Rota", header.substr(68, 4));
  EXPECT_EQ(std::string("\0\0\0\x08", 4), header.substr(60, 4));
}

}  // namespace
}  // namespace rota
