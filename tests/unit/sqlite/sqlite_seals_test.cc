// What seals are bound to: those of older forms, and those of another database.

#include "sqlite_damage.h"

namespace rota {
namespace {

using testing::hex;
using testing::RawSqlite;
using testing::SqliteDamage;

// A database as Rota wrote it before members had seals.
class SqliteOlderSeals : public SqliteDamage {
 protected:
  void SetUp() override {
    SqliteDamage::SetUp();
    testing::seal_as(path(), SealForm::kFirst);
    become(4);
  }

  void become(std::int64_t version) { testing::make_older(path(), version); }
};

TEST_F(SqliteOlderSeals, P10AreBroughtToTheNewestFormOnce) {
  EXPECT_EQ("123", loaded_tokens(0));
  EXPECT_EQ("123", loaded_tokens(0)) << "and open as such from then on";
  tamper("UPDATE member SET state = 4 WHERE id = 1");
  auto store = open();
  EXPECT_EQ(1U, load(*store).members.size()) << "it is not brought there again with a change in it";
}

TEST_F(SqliteOlderSeals, P10AreBroughtThereAfterAStartThatWasCutOff) {
  // The schema came, the seals did not.
  tamper(
      "ALTER TABLE member ADD COLUMN seal BLOB NOT NULL DEFAULT x'';"
      "ALTER TABLE member ADD COLUMN salt BLOB NOT NULL DEFAULT x''; PRAGMA user_version = 5");
  EXPECT_EQ("123", loaded_tokens(0));
}

TEST_F(SqliteOlderSeals, P10ARecordThatNobodyCanReadIsSetAsideThereToo) {
  tamper("UPDATE member SET state = 9 WHERE id = 1");
  auto store = open();
  const Snapshot found = load(*store);
  ASSERT_EQ(1U, found.members.size());
  EXPECT_EQ(MemberId{2}, found.members[0].id);
}

TEST_F(SqliteOlderSeals, P10ATokenOfNoStatusIsSetAsideThereToo) {
  tamper("UPDATE token SET status = 9 WHERE id = 2");
  EXPECT_EQ("13", loaded_tokens(1));
}

TEST_F(SqliteOlderSeals, P10ATokenThatDidNotOpenIsStillSetAside) {
  tamper("UPDATE token SET member = 2 WHERE id = 1");
  EXPECT_EQ("23", loaded_tokens(1));
  EXPECT_EQ("23", loaded_tokens(1));
}

TEST_F(SqliteOlderSeals, P10AreNotBelievedInADatabaseOfTheNewestForm) {
  const std::string old = RawSqlite(path()).value("SELECT sealed FROM token WHERE id = 1");
  EXPECT_EQ("123", loaded_tokens(0));
  tamper("UPDATE token SET sealed = x'" + hex(SealedBytes(old.begin(), old.end())) +
         "' WHERE id = 1");
  const std::string check = RawSqlite(path()).value("SELECT sealed FROM key_check");
  become(4);
  tamper("UPDATE key_check SET sealed = x'" + hex(SealedBytes(check.begin(), check.end())) + "'");
  EXPECT_EQ(ErrorKind::kCorrupt, open_fails().kind) << "an older version number is no proof of age";
}

TEST_F(SqliteOlderSeals, P10ACheckOfThatFormPutBackGivesNobodyAnothersToken) {
  const std::string check = RawSqlite(path()).value("SELECT sealed FROM key_check");
  EXPECT_EQ("123", loaded_tokens(0));
  // All records are believed once more, and one of them now has another's name.
  tamper("UPDATE key_check SET sealed = x'" + hex(SealedBytes(check.begin(), check.end())) +
         "'; UPDATE selector SET value = '2' WHERE member = 1");
  EXPECT_EQ("", loaded_tokens(3));
}

// A database of schema 5, whose seals are of the second form: not bound to a database.
class SqliteSealsBeforeTheDatabaseId : public SqliteOlderSeals {
 protected:
  void SetUp() override {
    SqliteDamage::SetUp();
    testing::seal_as(path(), SealForm::kSecond);
    become(5);
  }
};

TEST_F(SqliteSealsBeforeTheDatabaseId, P10AreBroughtToTheNewestFormOnce) {
  EXPECT_EQ("123", loaded_tokens(0));
  EXPECT_EQ("123", loaded_tokens(0)) << "and open as such from then on";
  EXPECT_EQ("16", RawSqlite(path()).value("SELECT length(database) FROM key_check"));
}

TEST_F(SqliteSealsBeforeTheDatabaseId, P10AChangedRecordIsSetAsideThereToo) {
  tamper("UPDATE member SET state = 4 WHERE id = 1");
  auto store = open();
  EXPECT_EQ(1U, load(*store).members.size());
}

// A database of schema 7, whose tokens had an index by member. Its seals are of the newest form.
class SqliteBeforeTokensHadNoIndex : public SqliteOlderSeals {
 protected:
  void SetUp() override {
    SqliteDamage::SetUp();
    become(7);
  }
};

TEST_F(SqliteBeforeTokensHadNoIndex, P3KeepsEveryTokenAsItWas) {
  const char* const rows =
      "SELECT group_concat(id || member || kind || status || hex(sealed)) FROM token";
  const std::string before = RawSqlite(path()).value(rows);
  EXPECT_EQ("token_by_member",
            RawSqlite(path()).value("SELECT name FROM pragma_index_list('token')"));
  EXPECT_EQ("123", loaded_tokens(0));
  EXPECT_EQ(before, RawSqlite(path()).value(rows));
  EXPECT_EQ("0", RawSqlite(path()).value("SELECT count(*) FROM pragma_index_list('token')"));
}

// A database of schema 6, whose seals know of no enrolments.
class SqliteSealsBeforeEnrolments : public SqliteOlderSeals {
 protected:
  void SetUp() override {
    SqliteDamage::SetUp();
    testing::seal_as(path(), SealForm::kThird);
    become(6);
  }
};

TEST_F(SqliteSealsBeforeEnrolments, P10AreBroughtToTheNewestFormOnce) {
  EXPECT_EQ("6", RawSqlite(path()).value("PRAGMA user_version"));
  const std::string id = RawSqlite(path()).value("SELECT database FROM key_check");
  EXPECT_EQ("123", loaded_tokens(0));
  EXPECT_EQ("123", loaded_tokens(0)) << "and open as such from then on";
  EXPECT_EQ(id, RawSqlite(path()).value("SELECT database FROM key_check"));
  tamper("UPDATE selector SET was_in_roster = 0 WHERE member = 1");
  auto store = open();
  EXPECT_EQ(1U, load(*store).members.size()) << "it is not brought there again with a change in it";
}

TEST_F(SqliteSealsBeforeEnrolments, ItsMembersCameFromARosterAndNobodyEnrolledThem) {
  auto store = open();
  for (const MemberRecord& member : load(*store).members) {
    ASSERT_EQ(1U, member.selectors.size());
    EXPECT_TRUE(member.selectors[0].was_in_roster);
    EXPECT_TRUE(member.selectors[0].enrolments.empty());
    EXPECT_TRUE(member.handles.empty());
    EXPECT_EQ(LoginEpoch{}, member.login_epoch);
  }
}

TEST_F(SqliteSealsBeforeEnrolments, P10AChangedRecordIsSetAsideThereToo) {
  tamper("UPDATE member SET state = 4 WHERE id = 1");
  auto store = open();
  EXPECT_EQ(1U, load(*store).members.size());
}

// Whoever puts back the key check of that form gets no enrolment, tag or login epoch believed.
TEST_F(SqliteSealsBeforeEnrolments, P10ACheckOfThatFormPutBackEnrolsNobody) {
  const std::string check = RawSqlite(path()).value("SELECT sealed FROM key_check");
  const std::string seal = RawSqlite(path()).value("SELECT seal FROM member WHERE id = 1");
  EXPECT_EQ("123", loaded_tokens(0));
  const auto hex_of = [](const std::string& bytes) {
    return hex(SealedBytes(bytes.begin(), bytes.end()));
  };
  tamper("UPDATE key_check SET sealed = x'" + hex_of(check) + "'; UPDATE member SET seal = x'" +
         hex_of(seal) +
         "', login_epoch = zeroblob(15) WHERE id = 1;"
         "UPDATE selector SET was_in_roster = 0;"
         "INSERT INTO enrolment VALUES (1, 0, 0, 'user:eve', 1);"
         "INSERT INTO enrolment_tag VALUES (1, 0, 0, 0, 'staff');"
         "INSERT INTO handle VALUES (1, 'user:eve', 1)");
  auto store = open();
  const Snapshot found = load(*store);
  ASSERT_FALSE(found.members.empty());
  const MemberRecord& member = found.members[0];
  EXPECT_EQ(MemberId{1}, member.id);
  EXPECT_TRUE(member.selectors.at(0).was_in_roster);
  EXPECT_TRUE(member.selectors.at(0).enrolments.empty());
  EXPECT_TRUE(member.handles.empty());
}

// Another database of the same store key, with rows of the same ids.
TEST_F(SqliteDamage, P10RowsOfAnotherDatabaseOfTheSameKeyAreSetAside) {
  const auto other = folder_ / "other.db";
  std::filesystem::rename(path(), other);
  SetUp();
  tamper("ATTACH '" + other.string() +
         "' AS other;"
         "UPDATE member SET (seal, salt) = (SELECT seal, salt FROM other.member AS o"
         " WHERE o.id = member.id) WHERE id = 1;"
         "UPDATE token SET sealed = (SELECT sealed FROM other.token AS o WHERE o.id = token.id)"
         " WHERE id <> 3");
  auto store = open();
  const Snapshot found = load(*store);
  ASSERT_EQ(1U, found.members.size());
  EXPECT_EQ(MemberId{2}, found.members[0].id);
  EXPECT_EQ(3, found.rows_set_aside) << "the record and its two tokens";
}

TEST_F(SqliteDamage, P10AnotherDatabasesIdDoesNotFit) {
  const auto other = folder_ / "other.db";
  std::filesystem::rename(path(), other);
  SetUp();
  tamper("ATTACH '" + other.string() +
         "' AS other; UPDATE key_check SET database = (SELECT database FROM other.key_check)");
  EXPECT_EQ(ErrorKind::kCorrupt, open_fails().kind);
}

}  // namespace
}  // namespace rota
