// A schema that is not exactly Rota's is refused, and runs nothing before that.

#include <fmt/format.h>

#include "raw_sqlite.h"
#include "sqlite/database.h"
#include "sqlite/schema.h"
#include "sqlite/schema_check.h"

namespace rota {
namespace {

using ::testing::HasSubstr;
using testing::make_member;
using testing::make_token;
using testing::RawSqlite;
using testing::read_bytes;
using testing::write_bytes;

class SqliteSchema : public testing::SqliteTest {
 protected:
  void SetUp() override {
    auto store = open();
    commit(*store, {PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(1, "one")}});
  }
  void tamper(const std::string& sql) { RawSqlite(path()).run(sql); }
  // Everything but the lock, and an empty log, which may come and stay.
  std::map<std::string, std::string> files() const {
    auto all = testing::read_all(folder_.path());
    all.erase("rota.db.lock");
    if (all["rota.db-wal"].empty()) all.erase("rota.db-wal");
    return all;
  }
};

struct Planted {
  const char* sql;
  const char* named;
};
constexpr Planted kPlanted[] = {
    {"CREATE TRIGGER spy AFTER INSERT ON token BEGIN"
     " UPDATE selector SET retired = 0; END",
     "trigger \"spy\""},
    {"CREATE VIEW later AS SELECT * FROM token", "view \"later\""},
    {"CREATE TABLE kept (token BLOB)", "table \"kept\""},
    {"CREATE INDEX slow ON token (sealed)", "index \"slow\""},
    {"CREATE UNIQUE INDEX one_only ON token (status)", "index \"one_only\""},
    {"CREATE VIRTUAL TABLE words USING fts5 (x)", "words"},
    {"ANALYZE", "sqlite_stat"},
    {"ALTER TABLE token ADD COLUMN more INTEGER", "table \"token\""},
    {"DROP INDEX audit_by_place", "index \"audit_by_place\""},
    {"DROP TRIGGER audit_is_not_changed", "trigger \"audit_is_not_changed\""},
    {"DROP TRIGGER audit_is_not_changed;"
     "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT 1; END",
     "trigger \"audit_is_not_changed\""},
    // One that keeps the name and the words of ours, and stands on another table.
    {"DROP TRIGGER audit_is_not_changed;"
     "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON call BEGIN\n"
     "  SELECT RAISE(ABORT, 'the audit trail is append-only');\nEND",
     "trigger \"audit_is_not_changed\""},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage ="
     " (SELECT rootpage FROM sqlite_schema WHERE name = 'member') WHERE name = 'token'",
     "share a page"},
};

TEST_F(SqliteSchema, P10WhatIsNotRotasIsRefusedByName) {
  const std::string whole = read_bytes(path());
  for (const auto& [sql, named] : kPlanted) {
    SCOPED_TRACE(sql);
    write_bytes(path(), whole);
    tamper(sql);
    const auto before = files();
    const Error error = open_fails();
    EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
    EXPECT_THAT(error.message, HasSubstr(named));
    EXPECT_THAT(error.message, HasSubstr(path().string()));
    EXPECT_TRUE(before == files()) << "not changed by a byte";
  }
  write_bytes(path(), whole);
  EXPECT_EQ(1U, load(*open()).members.size());
}

// A migration writes rows, and a planted trigger would run with them.
TEST_F(SqliteSchema, P10APlantedTriggerDoesNotRunInAMigration) {
  for (std::int64_t version = 3; version < schema_version(); ++version) {
    SCOPED_TRACE(version);
    std::filesystem::remove(path());
    SetUp();
    testing::make_older(path(), version);
    const std::string older = read_bytes(path());
    EXPECT_TRUE(try_open()) << "as it is, it is one of ours";

    write_bytes(path(), older);
    tamper("CREATE TRIGGER spy AFTER UPDATE ON member BEGIN DELETE FROM call; END");
    const auto before = files();
    const Error error = open_fails();
    EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
    EXPECT_THAT(error.message, HasSubstr("trigger \"spy\""));
    EXPECT_TRUE(before == files());
  }
}

TEST_F(SqliteSchema, EveryVersionIsItself) {
  for (std::int64_t version = 0; version <= schema_version(); ++version) {
    auto database = Database::in_memory();
    ASSERT_TRUE(database);
    ASSERT_TRUE(migrate(*database, version));
    for (std::int64_t other = 0; other <= schema_version(); ++other) {
      EXPECT_EQ(version == other, require_our_schema(*database, other).has_value())
          << version << " taken for " << other;
    }
  }
}

TEST_F(SqliteSchema, ANegativeVersionIsNoVersion) {
  tamper("PRAGMA user_version = -1");
  EXPECT_EQ(ErrorKind::kCorrupt, open_fails().kind);
  // And where only the journal has it.
  std::filesystem::remove(path());
  SetUp();
  {
    RawSqlite raw(path());
    raw.run("PRAGMA user_version = -1");
    raw.leave_journal_behind();
  }
  std::filesystem::remove(folder_ / "rota.db-shm");
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
  EXPECT_THAT(error.message, HasSubstr("schema -1"));
}

TEST_F(SqliteSchema, P10ATriggerThatOnlyTheJournalHasIsRefused) {
  {
    RawSqlite raw(path());
    raw.run("CREATE TRIGGER spy AFTER INSERT ON token BEGIN DELETE FROM call; END");
    raw.leave_journal_behind();
  }
  std::filesystem::remove(folder_ / "rota.db-shm");
  EXPECT_THAT(open_fails().message, HasSubstr("trigger \"spy\""));
}

// SQLite would play it back before anybody could look.
TEST_F(SqliteSchema, P10ARollbackJournalIsRefusedAndNotPlayedBack) {
  const std::string before = read_bytes(path());
  for (const std::string& journal :
       {std::string("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8), std::string()}) {
    write_bytes(folder_ / "rota.db-journal", journal);
    const Error error = open_fails();
    EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
    EXPECT_THAT(error.message, HasSubstr(path().string() + "-journal"));
    EXPECT_TRUE(before == read_bytes(path()));
    EXPECT_TRUE(std::filesystem::exists(folder_ / "rota.db-journal"));
  }
}

TEST_F(SqliteSchema, P10AWriteAheadLogThatIsALinkIsRefused) {
  write_bytes(folder_ / "victim", "somebody's file");
  std::filesystem::create_symlink(folder_ / "victim", folder_ / "rota.db-wal");
  EXPECT_EQ(ErrorKind::kCorrupt, open_fails().kind);
  std::filesystem::remove(folder_ / "rota.db-wal");
  std::filesystem::create_hard_link(folder_ / "victim", folder_ / "rota.db-wal");
  EXPECT_EQ(ErrorKind::kCorrupt, open_fails().kind);
  EXPECT_EQ("somebody's file", read_bytes(folder_ / "victim"));
}

}  // namespace
}  // namespace rota
