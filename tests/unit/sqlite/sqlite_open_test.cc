// Who may open what, and what a refusal leaves behind.

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "raw_sqlite.h"

namespace rota {
namespace {

using ::testing::HasSubstr;
using testing::make_member;
using testing::make_token;
using testing::RawSqlite;
using testing::read_all;
using testing::read_bytes;
using testing::write_bytes;

class SqliteOpen : public testing::SqliteTest {
 protected:
  // Everything but the lock, which may come and stay.
  std::map<std::string, std::string> files() const {
    auto all = read_all(folder_.path());
    all.erase("rota.db.lock");
    return all;
  }
};

TEST_F(SqliteOpen, TheSecondOfOneProcessIsToldWhoTheFirstIs) {
  auto first = open();
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kBusy, error.kind);
  EXPECT_THAT(error.message, HasSubstr(path().string() + " is in use by rotad, pid " +
                                       std::to_string(::getpid()) + ", started 20"));
  first.reset();
  EXPECT_TRUE(try_open());
}

TEST_F(SqliteOpen, AKilledDaemonLeavesTheDatabaseFree) {
  int ready[2];
  ASSERT_EQ(0, ::pipe(ready));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that fails leaves nobody behind
    auto store = try_open();
    const char sign = store ? 'y' : 'n';
    if (::write(ready[1], &sign, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char sign = 0;
  ASSERT_EQ(1, ::read(ready[0], &sign, 1));
  ASSERT_EQ('y', sign);
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kBusy, error.kind);
  EXPECT_THAT(error.message, HasSubstr(fmt::format("pid {},", child)));

  ASSERT_EQ(0, ::kill(child, SIGKILL));
  ASSERT_EQ(child, ::waitpid(child, nullptr, 0));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "rota.db.lock"));
  EXPECT_TRUE(try_open());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(SqliteOpen, AHolderThatDidNotSignIsReportedAllTheSame) {
  write_bytes(folder_ / "rota.db.lock", "");
  const int held = ::open((folder_ / "rota.db.lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(0, ::flock(held, LOCK_EX));
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kBusy, error.kind);
  EXPECT_EQ(path().string() + " is in use by another rotad", error.message);
  ::close(held);
}

TEST_F(SqliteOpen, AnotherProgramInTheFileIsReported) {
  open().reset();
  RawSqlite other(path());
  other.run("BEGIN EXCLUSIVE");
  EXPECT_EQ(ErrorKind::kBusy, open_fails().kind);
}

TEST_F(SqliteOpen, FilesAreForTheOwnerOnlyWhateverTheUmask) {
  const mode_t before = ::umask(0);
  auto store = open();
  commit(*store, {PutMember{make_member(1)}});
  ::umask(before);
  int seen = 0;
  for (const auto& [name, bytes] : read_all(folder_.path())) {
    struct stat found{};
    ASSERT_EQ(0, ::stat((folder_ / name).c_str(), &found));
    EXPECT_EQ(0600U, found.st_mode & 07777U) << name;
    ++seen;
  }
  EXPECT_EQ(4, seen) << "the database, its journal, the mark and the lock";
}

TEST_F(SqliteOpen, AFolderThatIsMissingIsNamed) {
  const auto missing = folder_ / "no-such-folder";
  const auto opened = SqliteStore::open(missing / "rota.db", testing::make_sealer());
  ASSERT_FALSE(opened);
  EXPECT_EQ(ErrorKind::kConfig, opened.error().kind);
  EXPECT_THAT(opened.error().message, HasSubstr(missing.string() + ":"));
  EXPECT_FALSE(std::filesystem::exists(missing));
}

TEST_F(SqliteOpen, NoRightToTheFolderIsAMatterOfConfiguration) {
  constexpr uid_t kNobody = 65534;
  const bool root = ::geteuid() == 0;
  ASSERT_EQ(0, ::chmod(folder_.path().c_str(), 0555));
  if (root) ASSERT_EQ(0, ::seteuid(kNobody));
  const auto opened = try_open();
  if (root) ASSERT_EQ(0, ::seteuid(0));
  ASSERT_EQ(0, ::chmod(folder_.path().c_str(), 0755));
  ASSERT_FALSE(opened);
  EXPECT_EQ(ErrorKind::kConfig, opened.error().kind);
  EXPECT_THAT(opened.error().message, HasSubstr("Permission denied"));
}

TEST_F(SqliteOpen, NoRightToTheFileIsAMatterOfConfiguration) {
  constexpr uid_t kNobody = 65534;
  const bool root = ::geteuid() == 0;
  open().reset();
  ASSERT_EQ(0, ::chmod(path().c_str(), 0400));
  ASSERT_EQ(0, ::chmod(folder_.path().c_str(), 0777));
  ASSERT_EQ(0, ::chmod((folder_ / "rota.db.lock").c_str(), 0666));
  if (root) ASSERT_EQ(0, ::seteuid(kNobody));
  const auto opened = try_open();
  if (root) ASSERT_EQ(0, ::seteuid(0));
  ASSERT_FALSE(opened);
  EXPECT_EQ(ErrorKind::kConfig, opened.error().kind);
  EXPECT_THAT(opened.error().message, HasSubstr(path().string() + ":"));
}

TEST_F(SqliteOpen, AnEmptyFileBecomesADatabase) {
  write_bytes(path(), "");
  auto store = open();
  commit(*store, {PutMember{make_member(1)}});
  store.reset();
  EXPECT_EQ(1U, load(*open()).members.size());
}

TEST_F(SqliteOpen, WhatAnInterruptedCreationLeftIsReplaced) {
  write_bytes(folder_ / "rota.db.new", "half a database");
  write_bytes(folder_ / "rota.db.new-wal", "half a journal");
  auto store = open();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "rota.db.new"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "rota.db.new-wal"));
}

TEST_F(SqliteOpen, AJournalWithoutItsDatabaseIsNotThrownAway) {
  for (const bool empty_database : {false, true}) {
    if (empty_database) write_bytes(path(), "");
    write_bytes(folder_ / "rota.db-wal", "committed tokens");
    const auto before = files();
    const Error error = open_fails();
    EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
    EXPECT_THAT(error.message, HasSubstr(path().string() + "-wal"));
    EXPECT_EQ(before, files());
  }
}

TEST_F(SqliteOpen, AFileThatIsNoDatabaseIsLeftAlone) {
  for (const std::string& bytes :
       {std::string("x"), std::string("SQLite format 3"), std::string("SQLite format 3\0", 16),
        std::string(99, '\0'), std::string(5'000, 'x')}) {
    write_bytes(path(), bytes);
    const Error error = open_fails();
    EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
    EXPECT_EQ(path().string() + " is not a database", error.message);
    EXPECT_EQ((std::map<std::string, std::string>{{"rota.db", bytes}}), files());
  }
}

TEST_F(SqliteOpen, ADirectoryOrAPipeInItsPlaceIsRefused) {
  std::filesystem::create_directory(path());
  EXPECT_EQ(ErrorKind::kConfig, open_fails().kind);
  std::filesystem::remove(path());
  ASSERT_EQ(0, ::mkfifo(path().c_str(), 0600));
  EXPECT_EQ(ErrorKind::kConfig, open_fails().kind);
}

TEST_F(SqliteOpen, TheDatabaseOfAnotherProgramIsLeftAlone) {
  {
    RawSqlite other(path());
    other.run("PRAGMA journal_mode = WAL; CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    other.leave_journal_behind();
  }
  const auto before = files();
  ASSERT_TRUE(before.contains("rota.db-wal"));
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
  EXPECT_EQ(path().string() + " is the database of another program", error.message);
  EXPECT_EQ(before, files());
}

TEST_F(SqliteOpen, ANewerSchemaIsLeftAlone) {
  open().reset();
  {
    RawSqlite newer(path());
    newer.run("PRAGMA user_version = 99");
  }
  const auto before = files();
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
  EXPECT_THAT(error.message, HasSubstr(path().string()));
  EXPECT_THAT(error.message, HasSubstr("schema 99"));
  EXPECT_THAT(error.message, HasSubstr("up to 8"));
  EXPECT_EQ(before, files());
}

TEST_F(SqliteOpen, ANewerSchemaThatOnlyTheJournalKnowsIsLeftAlone) {
  open().reset();
  {
    RawSqlite newer(path());
    newer.run("PRAGMA user_version = 99; CREATE TABLE newer (x)");
    newer.leave_journal_behind();
  }
  std::filesystem::remove(folder_ / "rota.db-shm");
  const auto before = files();
  ASSERT_EQ(3U, before.size()) << "the database, its journal and the mark";
  EXPECT_EQ(ErrorKind::kCorrupt, open_fails().kind);
  EXPECT_EQ(before, files());
}

TEST_F(SqliteOpen, AnotherKeyIsToldFromDamage) {
  auto store = open();
  commit(*store, {PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(1, "token")}});
  store.reset();
  const auto before = files();
  const Error error = open_fails('x');
  EXPECT_EQ(ErrorKind::kConfig, error.kind);
  EXPECT_EQ("the store key is not the one of this database: " + path().string(), error.message);
  EXPECT_EQ(before, files());
  EXPECT_EQ(1U, load(*open()).members.at(0).tokens.size());
}

}  // namespace
}  // namespace rota
