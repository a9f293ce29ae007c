// A start sees that its database is not the one that this machine used last (P1, P12).

#include "raw_sqlite.h"
#include "sqlite/mark_file.h"

namespace rota {
namespace {

using testing::make_member;
using testing::make_token;
using testing::read_bytes;
using testing::write_bytes;
using Kind = OtherDatabase::Kind;

class SqliteAge : public testing::SqliteTest {
 protected:
  void SetUp() override {
    auto store = open();
    commit(*store, {PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(1, "access")},
                    PutToken{MemberId{1}, make_token(2, "refresh", TokenKind::kRefresh)},
                    PutMeta{MetaKey::kRosterFingerprint, 5}});
    EXPECT_FALSE(load(*store).other);
  }
  std::filesystem::path mark() const { return folder_ / "rota.db.mark"; }
  void commit_some(int times) {
    auto store = open();
    for (int i = 0; i < times; ++i) commit(*store, {PutMember{make_member(1)}});
  }
  static TokenStatus status_of(const Snapshot& snapshot, std::size_t token) {
    return snapshot.members.at(0).tokens.at(token).status;
  }
};

TEST_F(SqliteAge, ADatabaseThatWentOnIsTheOne) {
  commit_some(3);
  auto store = open();
  const Snapshot found = load(*store);
  EXPECT_FALSE(found.other);
  EXPECT_EQ(TokenStatus::kCurrent, status_of(found, 0));
  EXPECT_EQ(5U, found.meta.roster);
}

TEST_F(SqliteAge, P1AnOlderCopyServesNoTokenBeforeCircleWasAsked) {
  const std::string copy = read_bytes(path());
  commit_some(3);
  write_bytes(path(), copy);
  {
    auto store = open();
    const Snapshot found = load(*store);
    ASSERT_TRUE(found.other);
    EXPECT_EQ(Kind::kOlder, found.other->kind);
    EXPECT_EQ(3, found.other->commits_missing);
    EXPECT_EQ(TokenStatus::kSuperseded, status_of(found, 0)) << "on the ledger, and not served";
    EXPECT_EQ(TokenStatus::kCurrent, status_of(found, 1)) << "the refresh token is how to ask";
    EXPECT_EQ(0U, found.meta.roster) << "the roster is compared anew";
  }
  // Told once; the tokens stay as they are.
  auto store = open();
  const Snapshot found = load(*store);
  EXPECT_FALSE(found.other);
  EXPECT_EQ(TokenStatus::kSuperseded, status_of(found, 0));
}

TEST_F(SqliteAge, P1ACopyThatLacksOneCommitIsOlder) {
  const std::string copy = read_bytes(path());
  commit_some(1);
  write_bytes(path(), copy);
  auto store = open();
  EXPECT_EQ(1, load(*store).other.value_or(OtherDatabase{}).commits_missing);
}

// What is missing then is the write-ahead log.
TEST_F(SqliteAge, P1ACopyWithoutItsLogIsOlder) {
  {
    auto store = open();
    commit(*store, {PutMember{make_member(2)}});
    const std::string copy = read_bytes(path());
    store.reset();
    write_bytes(path(), copy);
  }
  auto store = open();
  EXPECT_EQ(Kind::kOlder, load(*store).other.value_or(OtherDatabase{}).kind);
}

TEST_F(SqliteAge, P1AnotherDatabaseServesNoTokenBeforeCircleWasAsked) {
  const std::string first = read_bytes(path());
  std::filesystem::remove(path());
  {
    auto store = open();
    EXPECT_EQ(Kind::kNew, load(*store).other.value_or(OtherDatabase{}).kind);
    commit(*store, {PutMember{make_member(1)}});
  }
  write_bytes(path(), first);
  auto store = open();
  const Snapshot found = load(*store);
  EXPECT_EQ(Kind::kAnother, found.other.value_or(OtherDatabase{}).kind);
  EXPECT_EQ(TokenStatus::kSuperseded, status_of(found, 0));
}

TEST_F(SqliteAge, P1AnOldSchemaThatIsPutBackIsAnother) {
  testing::make_older(path(), 5);
  auto store = open();
  EXPECT_EQ(Kind::kAnother, load(*store).other.value_or(OtherDatabase{}).kind);
}

// From schema 6 on a database has an id, and keeps it.
TEST_F(SqliteAge, P1AnUpgradeIsNoOtherDatabase) {
  testing::seal_as(path(), SealForm::kThird);
  testing::make_older(path(), 6);
  for (int start = 0; start < 2; ++start) {
    auto store = open();
    const Snapshot found = load(*store);
    EXPECT_FALSE(found.other);
    EXPECT_EQ(0, found.rows_set_aside);
    EXPECT_EQ(TokenStatus::kCurrent, status_of(found, 0));
    EXPECT_EQ(5U, found.meta.roster);
    commit(*store, {PutMember{make_member(1)}});
  }
}

TEST_F(SqliteAge, AMarkThatNobodyCanReadOrWriteStopsNothing) {
  for (const std::string& text :
       {std::string(), std::string("rota"), read_bytes(mark()) + "x",
        std::string("rota database ") + std::string(32, 'g') + " commit 00000000000000000099\n",
        std::string("rota database ") + std::string(32, '0') + " commit 99999999999999999999\n"}) {
    SCOPED_TRACE(text);
    write_bytes(mark(), text);
    auto store = open();
    EXPECT_FALSE(load(*store).other);
    commit(*store, {PutMember{make_member(1)}});
  }
  std::filesystem::remove(mark());
  write_bytes(folder_ / "victim", "somebody's file");
  std::filesystem::create_symlink(folder_ / "victim", mark());
  commit_some(2);
  EXPECT_EQ("somebody's file", read_bytes(folder_ / "victim"));
}

TEST_F(SqliteAge, AMarkIsReadAsItWasWritten) {
  const auto database = folder_ / "other.db";
  const MarkFile::Mark mark{.database = {0, 1, 0xfe, 0xff}, .commit = MarkFile::kCommitMax};
  MarkFile(database).write(mark);
  const auto found = MarkFile(database).read();
  ASSERT_TRUE(found);
  EXPECT_EQ(mark.database, found->database);
  EXPECT_EQ(mark.commit, found->commit);
}

}  // namespace
}  // namespace rota
