// Rows that somebody changed, and files that a disk damaged.

#include "sqlite_damage.h"

namespace rota {
namespace {

using testing::at;
using testing::Batch;
using ::testing::HasSubstr;
using testing::make_call;
using testing::make_member;
using testing::make_token;
using testing::read_bytes;
using testing::SqliteDamage;
using testing::write_bytes;

TEST_F(SqliteDamage, P10NothingIsSetAsideWithoutAReason) { EXPECT_EQ("123", loaded_tokens(0)); }

TEST_F(SqliteDamage, P10SwappedTokensAreSetAside) {
  tamper(
      "CREATE TEMP TABLE was AS SELECT id, sealed FROM token;"
      "UPDATE token SET sealed = (SELECT sealed FROM was WHERE was.id = 3 - token.id)"
      " WHERE id IN (1, 2)");
  EXPECT_EQ("3", loaded_tokens(2));
  EXPECT_EQ("3", rows_in_file()) << "set aside, not thrown away";
}

TEST_F(SqliteDamage, P10ATokenGivenToAnotherMemberIsSetAside) {
  tamper("UPDATE token SET member = 2 WHERE id = 1");
  EXPECT_EQ("23", loaded_tokens(1));
}

TEST_F(SqliteDamage, P10ATokenMadeOneOfTheOtherKindIsSetAside) {
  tamper("UPDATE token SET kind = 1 WHERE id = 3");
  EXPECT_EQ("12", loaded_tokens(1));
}

TEST_F(SqliteDamage, P10ATokenOfAnotherStatusOrTimeIsSetAside) {
  tamper(
      "UPDATE token SET status = 2 WHERE id = 1; UPDATE token SET expires_at = 9000 WHERE id = 3");
  EXPECT_EQ("2", loaded_tokens(2));
}

TEST_F(SqliteDamage, P10ATokenOfNoKindOrStatusIsSetAside) {
  tamper("UPDATE token SET kind = 3 WHERE id = 1; UPDATE token SET status = 4 WHERE id = 3");
  EXPECT_EQ("2", loaded_tokens(2));
}

TEST_F(SqliteDamage, P10ANameOrATagOfNobodyIsSetAside) {
  tamper(
      "PRAGMA foreign_keys = OFF; INSERT INTO tag VALUES (77, 0, 0, 'x');"
      "INSERT INTO selector SELECT 78, position, kind, 'x', in_roster, retired, name, 0, 1 FROM "
      "selector"
      " WHERE member = 1;"
      "INSERT INTO enrolment VALUES (77, 0, 0, 'user:web', 0);"
      "INSERT INTO enrolment_tag VALUES (77, 0, 0, 0, 'x'); INSERT INTO handle VALUES (77, 'a', "
      "1)");
  EXPECT_EQ("123", loaded_tokens(5));
}

TEST_F(SqliteDamage, P10AMemberWhoseRecordWasChangedIsSetAsideWithItsTokens) {
  {
    MemberRecord enrolled = make_member(1);
    enrolled.selectors[0].enrolments = {{.client = "user:web", .tags = {"web"}, .since = at(7)}};
    enrolled.login_epoch = {1, 2, 3};
    enrolled.handles = {{.holder = "user:web", .number = 4}};
    auto store = open();
    commit(*store, {PutMember{enrolled}});
    EXPECT_EQ(enrolled.selectors, load(*store).members.at(0).selectors);
  }
  const std::string changes[] = {
      "UPDATE selector SET value = '2' WHERE member = 1",
      "UPDATE selector SET in_roster = 0 WHERE member = 1",
      "UPDATE selector SET name = 'Eve' WHERE member = 1",
      "INSERT INTO tag VALUES (1, 0, 0, 'staff')",
      "DELETE FROM selector WHERE member = 1",
      "UPDATE member SET state = 4 WHERE id = 1",
      // Numbers that name nothing.
      "UPDATE member SET state = 9 WHERE id = 1",
      "UPDATE member SET state = 0 WHERE id = 1",
      "UPDATE selector SET kind = 3 WHERE member = 1",
      "UPDATE selector SET kind = -1 WHERE member = 1",
      "INSERT INTO tag VALUES (1, 7, 0, 'x')",
      "UPDATE member SET community_member_id = 77 WHERE id = 1",
      "UPDATE selector SET was_in_roster = 0 WHERE member = 1",
      "DELETE FROM enrolment WHERE member = 1",
      "DELETE FROM enrolment_tag WHERE member = 1",
      "DELETE FROM handle WHERE member = 1",
      "INSERT INTO enrolment VALUES (1, 0, 1, 'user:zoe', 7)",
      "INSERT INTO enrolment VALUES (1, 0, 1, '', 7)",
      "UPDATE enrolment SET client = '' WHERE member = 1",
      "UPDATE enrolment SET client = 'user:eve' WHERE member = 1",
      "UPDATE enrolment SET since = 8 WHERE member = 1",
      "UPDATE enrolment_tag SET value = 'staff' WHERE member = 1",
      "INSERT INTO enrolment_tag VALUES (1, 0, 0, 1, 'staff')",
      "UPDATE handle SET number = 3 WHERE member = 1",
      "UPDATE handle SET holder = 'user:eve' WHERE member = 1",
      "UPDATE member SET signed_out_at = 1 WHERE id = 1",
      "INSERT INTO handle VALUES (1, 'user:zoe', 1)",
      "UPDATE member SET login_epoch = x'01020300000000000000000000000001' WHERE id = 1",
      // Positions and sizes that no Rota writes.
      "UPDATE enrolment SET selector = 1 WHERE member = 1",
      "UPDATE enrolment SET selector = -1 WHERE member = 1",
      "UPDATE enrolment_tag SET selector = 1 WHERE member = 1",
      "UPDATE enrolment_tag SET enrolment = 1 WHERE member = 1",
      "UPDATE enrolment_tag SET enrolment = -1 WHERE member = 1",
      "UPDATE handle SET number = -1 WHERE member = 1",
      "UPDATE handle SET number = 4294967300 WHERE member = 1",
      "UPDATE member SET login_epoch = x'' WHERE id = 1",
      "UPDATE member SET login_epoch = substr(login_epoch, 1, 15) WHERE id = 1",
      "UPDATE member SET login_epoch = x'0102030000000000000000000000000000' WHERE id = 1",
      "UPDATE member SET seal = (SELECT seal FROM member WHERE id = 2) WHERE id = 1",
      "UPDATE member SET seal = x'' WHERE id = 1",
      // A whole record under another's id, seal and all.
      "PRAGMA foreign_keys = OFF;"
      "DELETE FROM member WHERE id = 1; DELETE FROM selector WHERE member = 1;"
      "UPDATE member SET id = 1 WHERE id = 2; UPDATE selector SET member = 1 WHERE member = 2;"
      "INSERT INTO member SELECT 2, state, state_since, 5, community_id, renew_not_before, "
      "last_used,"
      " seal, salt, signed_out_at, login_epoch FROM member",
      "UPDATE member SET salt = (SELECT salt FROM member WHERE id = 2) WHERE id = 1",
      "UPDATE member SET salt = x'' WHERE id = 1",
  };
  {
    auto store = open();
    commit(*store, {PutMeta{MetaKey::kRosterFingerprint, 5}});
    EXPECT_EQ(5U, load(*store).meta.roster);
  }
  const std::string whole = read_bytes(path());
  for (const std::string& sql : changes) {
    SCOPED_TRACE(sql);
    write_bytes(path(), whole);
    tamper(sql);
    auto store = open();
    const Snapshot found = load(*store);
    for (const MemberRecord& member : found.members) {
      EXPECT_EQ(MemberId{2}, member.id);
      EXPECT_EQ(make_member(2).selectors, member.selectors);
    }
    EXPECT_GE(found.rows_set_aside, 3) << "the record and its two tokens";
    EXPECT_EQ(MemberId{3}, found.next_member) << "its id is not given to another";
    EXPECT_EQ(0U, found.meta.roster)
        << "or the roster would be taken for in force, and nobody issued anew";
  }
}

TEST_F(SqliteDamage, P10ALastUseIsNoSecretAndNoReason) {
  {
    auto store = open();
    commit(*store, {PutUse{MemberId{1}, at(5'000)}});
  }
  EXPECT_EQ("123", loaded_tokens(0));
}

TEST_F(SqliteDamage, P10AnIdThatSomeRowHasIsNotGivenAgain) {
  tamper("UPDATE next_id SET value = 1; UPDATE member SET seal = x'' WHERE id = 2");
  auto store = open();
  const Snapshot found = load(*store);
  EXPECT_EQ(MemberId{3}, found.next_member);
  EXPECT_EQ(TokenId{4}, found.next_token);
  EXPECT_EQ(CallId{2}, found.next_call);
}

// A row whose id leaves none to be given after it, or that no commit can write again.
TEST_F(SqliteDamage, P2ARowIdThatNobodyGaveIsSetAsideAndStopsNoCommit) {
  constexpr const char* kFarIds[] = {
      "9223372036854775807", "9223372036854775806", "4611686018427387904", "0", "-1",
      "-9223372036854775808"};
  constexpr const char* kRows[] = {
      "INSERT INTO member SELECT {}, state, state_since, community_member_id, community_id,"
      " renew_not_before, last_used, seal, salt, signed_out_at, login_epoch FROM member"
      " WHERE id = 1",
      "INSERT INTO token SELECT {}, member, kind, status, issued_at, expires_at, status_since,"
      " key_id, sealed FROM token WHERE id = 1",
      "PRAGMA foreign_keys = OFF; INSERT INTO token SELECT 4, {}, kind, status, issued_at,"
      " expires_at, status_since, key_id, sealed FROM token WHERE id = 1",
      "INSERT INTO call (id, kind, member, opened_at, fate) VALUES ({}, 1, 1, 5, 1)",
      "UPDATE next_id SET value = {} WHERE kind = 1",
      "UPDATE next_id SET value = {} WHERE kind = 2",
      "UPDATE next_id SET value = {} WHERE kind = 3",
      "UPDATE call SET opened_at = {}",
      "UPDATE meta SET value = {}",
      "UPDATE member SET last_used = {}",
  };
  const std::string whole = read_bytes(path());
  for (const char* const row : kRows) {
    for (const char* const id : kFarIds) {
      SCOPED_TRACE(fmt::format(fmt::runtime(row), id));
      write_bytes(path(), whole);
      tamper(fmt::format(fmt::runtime(row), id));
      auto store = open();
      const Snapshot found = load(*store);
      EXPECT_EQ(2U, found.members.size());
      EXPECT_EQ(MemberId{3}, found.next_member);
      EXPECT_LE(TokenId{4}, found.next_token);
      EXPECT_GE(TokenId{5}, found.next_token);
      EXPECT_EQ(CallId{2}, found.next_call);
      Batch next{PutMember{make_member(3)}, PutToken{MemberId{3}, make_token(5, "five")},
                 PutCall{make_call(2)}};
      for (const MemberRecord& member : found.members) next.emplace_back(PutMember{member});
      for (const CallRow& call : found.calls) next.emplace_back(PutCall{call});
      commit(*store, next);
      EXPECT_EQ(3U, load(*store).members.size());
    }
  }
}

TEST_F(SqliteDamage, P10ATokenPutBackBesideAMemberThatWasMadeLaterIsSetAside) {
  const std::string elsewhere = "ATTACH '" + (folder_ / "kept.db").string() + "' AS other;";
  tamper(elsewhere +
         "CREATE TABLE other.kept AS SELECT * FROM token WHERE member = 1;"
         "DELETE FROM token WHERE member = 1; DELETE FROM member WHERE id = 1;"
         "DELETE FROM selector WHERE member = 1; UPDATE next_id SET value = 1");
  {
    auto store = open();
    commit(*store, {PutMember{make_member(1)}});
  }
  tamper(elsewhere + "INSERT INTO token SELECT * FROM other.kept");
  EXPECT_EQ("3", loaded_tokens(2));
}

TEST_F(SqliteDamage, P10ATokenOfAnotherKeyIsSetAside) {
  tamper("UPDATE token SET key_id = x'0102030405060708' WHERE id = 2");
  EXPECT_EQ("13", loaded_tokens(1));
}

TEST_F(SqliteDamage, P10AnEmptyTokenIsSetAside) {
  tamper("UPDATE token SET sealed = x'' WHERE id = 2");
  EXPECT_EQ("13", loaded_tokens(1));
}

TEST_F(SqliteDamage, P10ATokenOfNobodyIsSetAside) {
  tamper("PRAGMA foreign_keys = OFF; UPDATE token SET member = 77 WHERE id = 2");
  EXPECT_EQ("13", loaded_tokens(1));
}

TEST_F(SqliteDamage, P10WhatIsSetAsideCanBeErasedAndPutAnew) {
  tamper("UPDATE token SET sealed = x'00' WHERE id IN (1, 2)");
  {
    auto store = open();
    commit(*store, {EraseToken{TokenId{1}}, PutToken{MemberId{1}, make_token(2, "again")}});
  }
  EXPECT_EQ("23", loaded_tokens(0));
}

// Its reply may have had a pair of tokens in it, and it may have been a call of a minute ago.
TEST_F(SqliteDamage, P3P7ACallOfWhichSomethingCannotBeReadIsTakenForALostIssue) {
  const std::string whole = read_bytes(path());
  for (const char* const change :
       {"kind = 5", "fate = 0", "closed_at = 9223372036854775807",
        "opened_at = -9223372036854775807", "doubt_until = 9223372036854775807"}) {
    SCOPED_TRACE(change);
    write_bytes(path(), whole);
    tamper(fmt::format("UPDATE call SET {}", change));
    const Snapshot found = load(*open());
    EXPECT_EQ(1, found.rows_set_aside);
    EXPECT_THAT(found.set_aside, ::testing::ElementsAre("row 1 of table call"));
    ASSERT_EQ(1U, found.calls.size());
    const CallRow& call = found.calls[0];
    EXPECT_EQ(CallKind::kIssue, call.kind);
    EXPECT_EQ(CallFate::kOpen, call.fate);
    EXPECT_EQ(MemberId{1}, call.member);
    EXPECT_FALSE(call.closed_at);
    EXPECT_EQ(CallId{2}, found.next_call);
  }
}

TEST_F(SqliteDamage, ANumberThatNamesNothingIsSetAsideAndNamed) {
  const std::pair<const char*, const char*> changes[] = {
      {"INSERT INTO meta VALUES (77, 1)", "row 77 of table meta"},
      {"INSERT INTO next_id VALUES (77, 1)", "row 77 of table next_id"},
      {"UPDATE member SET state = 77 WHERE id = 2", "row 2 of table member"},
  };
  const std::string whole = read_bytes(path());
  for (const auto& [sql, name] : changes) {
    SCOPED_TRACE(sql);
    write_bytes(path(), whole);
    tamper(sql);
    const Snapshot found = load(*open());
    EXPECT_GE(found.rows_set_aside, 1);
    EXPECT_THAT(found.set_aside, ::testing::Contains(name));
  }
}

TEST_F(SqliteDamage, P10AKeyCheckThatIsDamagedIsNotTakenForAWrongKey) {
  tamper("UPDATE key_check SET sealed = x'00'");
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
  EXPECT_THAT(error.message, HasSubstr(path().string()));
}

TEST_F(SqliteDamage, P10PagesOfRubbishAreReported) {
  std::string bytes = read_bytes(path());
  std::fill(bytes.begin() + 100, bytes.end(), '\xa5');
  write_bytes(path(), bytes);
  const Error error = open_fails();
  EXPECT_EQ(ErrorKind::kCorrupt, error.kind);
  EXPECT_THAT(error.message, HasSubstr(path().string()));
}

TEST_F(SqliteDamage, P10AFileCutShortIsReported) {
  const std::string bytes = read_bytes(path());
  write_bytes(path(), std::string_view(bytes).substr(0, 4096 * 3));
  auto opened = try_open();
  const ErrorKind kind = opened ? (*opened)->load().error().kind : opened.error().kind;
  EXPECT_EQ(ErrorKind::kCorrupt, kind);
}

}  // namespace
}  // namespace rota
