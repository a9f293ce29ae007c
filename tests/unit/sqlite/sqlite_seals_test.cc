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
    seal_as(SealForm::kFirst);
    become(4);
  }

  // All salts are zero afterwards.
  void seal_as(SealForm form) {
    const Sealer sealer = testing::make_sealer();
    Snapshot all = load(*open());
    RawSqlite raw(path());
    for (const MemberRecord& member : all.members) {
      const MemberSeal seal = sealer.seal(member, {}, form);
      raw.run("UPDATE member SET salt = zeroblob(16), seal = x'" +
              hex(SealedBytes(seal.begin(), seal.end())) +
              "' WHERE id = " + std::to_string(std::to_underlying(member.id)));
      for (const Token& token : member.tokens) {
        const TokenBinding place = binding_of(token, member.id, {});
        raw.run("UPDATE token SET sealed = x'" + hex(sealer.seal(*token.value, place, form)) +
                "' WHERE id = " + std::to_string(std::to_underlying(token.id)));
      }
    }
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
    seal_as(SealForm::kSecond);
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
