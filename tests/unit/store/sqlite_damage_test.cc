// Rows that somebody changed, and files that a disk damaged.

#include "raw_sqlite.h"

namespace rota {
namespace {

using testing::Batch;
using ::testing::HasSubstr;
using testing::make_call;
using testing::make_member;
using testing::make_token;
using testing::RawSqlite;
using testing::read_bytes;
using testing::write_bytes;

class SqliteDamage : public testing::SqliteTest {
 protected:
  void SetUp() override {
    auto store = open();
    commit(*store, {PutMember{make_member(1)}, PutMember{make_member(2)},
                    PutToken{MemberId{1}, make_token(1, "one")},
                    PutToken{MemberId{1}, make_token(2, "two")},
                    PutToken{MemberId{2}, make_token(3, "three", TokenKind::kRefresh)},
                    PutCall{make_call(1)}});
  }
  void tamper(const std::string& sql) { RawSqlite(path()).run(sql); }

  // Which tokens still load, as "1 2 3".
  std::string loaded_tokens(std::int64_t set_aside) {
    auto store = open();
    const Snapshot found = load(*store);
    EXPECT_EQ(set_aside, found.rows_set_aside);
    EXPECT_EQ(2U, found.members.size());
    EXPECT_EQ(TokenId{4}, found.next_token);
    std::string ids;
    for (const MemberRecord& member : found.members) {
      for (const Token& token : member.tokens) ids += std::to_string(std::to_underlying(token.id));
    }
    return ids;
  }
  std::string rows_in_file() { return RawSqlite(path()).value("SELECT count(*) FROM token"); }
};

TEST_F(SqliteDamage, NothingIsSetAsideWithoutAReason) { EXPECT_EQ("123", loaded_tokens(0)); }

TEST_F(SqliteDamage, SwappedTokensAreSetAside) {
  tamper(
      "CREATE TEMP TABLE was AS SELECT id, sealed FROM token;"
      "UPDATE token SET sealed = (SELECT sealed FROM was WHERE was.id = 3 - token.id)"
      " WHERE id IN (1, 2)");
  EXPECT_EQ("3", loaded_tokens(2));
  EXPECT_EQ("3", rows_in_file()) << "set aside, not thrown away";
}

TEST_F(SqliteDamage, ATokenGivenToAnotherMemberIsSetAside) {
  tamper("UPDATE token SET member = 2 WHERE id = 1");
  EXPECT_EQ("23", loaded_tokens(1));
}

TEST_F(SqliteDamage, ATokenMadeOneOfTheOtherKindIsSetAside) {
  tamper("UPDATE token SET kind = 1 WHERE id = 3");
  EXPECT_EQ("12", loaded_tokens(1));
}

TEST_F(SqliteDamage, ATokenOfAnotherKeyIsSetAside) {
  tamper("UPDATE token SET key_id = x'0102030405060708' WHERE id = 2");
  EXPECT_EQ("13", loaded_tokens(1));
}

TEST_F(SqliteDamage, AnEmptyTokenIsSetAside) {
  tamper("UPDATE token SET sealed = x'' WHERE id = 2");
  EXPECT_EQ("13", loaded_tokens(1));
}

TEST_F(SqliteDamage, ATokenOfNobodyIsSetAside) {
  tamper("PRAGMA foreign_keys = OFF; UPDATE token SET member = 77 WHERE id = 2");
  EXPECT_EQ("13", loaded_tokens(1));
}

TEST_F(SqliteDamage, WhatIsSetAsideCanBeErasedAndPutAnew) {
  tamper("UPDATE token SET sealed = x'00' WHERE id IN (1, 2)");
  {
    auto store = open();
    commit(*store, {EraseToken{TokenId{1}}, PutToken{MemberId{1}, make_token(2, "again")}});
  }
  EXPECT_EQ("23", loaded_tokens(0));
}

TEST_F(SqliteDamage, ANumberThatNamesNothingIsNotGuessedAt) {
  const std::pair<const char*, const char*> changes[] = {
      {"UPDATE member SET state = 9", "member state 9"},
      {"UPDATE member SET state = 0", "member state 0"},
      {"UPDATE selector SET kind = 3", "selector kind 3"},
      {"UPDATE selector SET kind = -1", "selector kind -1"},
      {"UPDATE token SET kind = 3", "token kind 3"},
      {"UPDATE token SET status = 4", "token status 4"},
      {"UPDATE call SET kind = 5", "call kind 5"},
      {"UPDATE call SET fate = 0", "call fate 0"},
      {"INSERT INTO meta VALUES (77, 1)", "77"},
      {"INSERT INTO next_id VALUES (77, 1)", "77"},
      {"PRAGMA foreign_keys = OFF; INSERT INTO tag VALUES (77, 0, 0, 'x')", "tag of member 77"},
  };
  const std::string whole = read_bytes(path());
  for (const auto& [sql, words] : changes) {
    SCOPED_TRACE(sql);
    write_bytes(path(), whole);
    tamper(sql);
    const Result<Snapshot> loaded = open()->load();
    ASSERT_FALSE(loaded);
    EXPECT_EQ(ErrorKind::kCorrupt, loaded.error().kind);
    EXPECT_THAT(loaded.error().message, HasSubstr(words));
  }
}

TEST_F(SqliteDamage, AKeyCheckThatIsDamagedIsNotTakenForAWrongKey) {
  tamper("UPDATE key_check SET sealed = x'00'");
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
  EXPECT_THAT(error.message, HasSubstr(path().string()));
}

TEST_F(SqliteDamage, PagesOfRubbishAreReported) {
  std::string bytes = read_bytes(path());
  std::fill(bytes.begin() + 100, bytes.end(), '\xa5');
  write_bytes(path(), bytes);
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
  EXPECT_THAT(error.message, HasSubstr(path().string()));
}

TEST_F(SqliteDamage, AFileCutShortIsReported) {
  const std::string bytes = read_bytes(path());
  write_bytes(path(), std::string_view(bytes).substr(0, 4096 * 3));
  auto opened = try_open();
  const ErrorKind kind = opened ? (*opened)->load().error().kind : opened.error().kind;
  EXPECT_EQ(ErrorKind::kCorrupt, kind);
}

}  // namespace
}  // namespace rota
