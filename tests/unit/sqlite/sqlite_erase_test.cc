// P10 in the state folder: no token in clear in any file, and erased ones in no form at all.

#include <fmt/format.h>

#include "file_size_limit.h"
#include "raw_sqlite.h"

namespace rota {
namespace {

using testing::Batch;
using testing::make_member;
using testing::make_token;
using testing::RawSqlite;
using testing::read_all;

class SqliteErase : public testing::SqliteTest {
 protected:
  // The names of the files that hold these bytes.
  std::string files_with(std::string_view bytes) const {
    std::string names;
    for (const auto& [name, content] : read_all(folder_.path())) {
      if (content.find(bytes) != std::string::npos) names += name + " ";
    }
    return names;
  }
};

std::string raw_fingerprint(std::string_view token) {
  std::string bytes;
  const Fingerprint value = fingerprint_of(token);
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

TEST_F(SqliteErase, P10NoTokenIsInClearInAnyFile) {
  auto store = open();
  Batch batch{PutMember{make_member(1)}, PutMember{make_member(2)}};
  std::vector<std::string> tokens;
  for (std::int64_t id = 1; id <= 40; ++id) {
    tokens.push_back(fmt::format("token-{:03}-{}", id, std::string(200, 'q')));
    batch.push_back(PutToken{MemberId{1}, make_token(id, tokens.back())});
  }
  commit(*store, batch);
  commit(*store, {PutToken{MemberId{2}, make_token(1, tokens[0])}, EraseToken{TokenId{2}}});

  const auto search = [&](const char* when) {
    SCOPED_TRACE(when);
    EXPECT_NE("", files_with("Member 1")) << "the search finds what is in clear";
    EXPECT_EQ("", files_with("qqqqqqqq"));
    for (const std::string& token : tokens) {
      EXPECT_EQ("", files_with(std::string_view(token).substr(0, 9)));
      EXPECT_EQ("", files_with(raw_fingerprint(token)));
      EXPECT_EQ("", files_with(format_fingerprint(fingerprint_of(token))));
    }
    EXPECT_EQ("", files_with(std::string(16, 'k'))) << "the store key";
  };
  search("in the journal");
  commit(*store, {Scrub{}});
  search("in the database");
  commit(*store, {EraseToken{TokenId{1}}, ForgetMember{MemberId{2}}});
  search("in both");
  store.reset();
  search("closed");
}

TEST_F(SqliteErase, P10AfterACheckpointTheSealedBytesAreGoneAsWell) {
  auto store = open();
  commit(*store, {PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(1, "erased")},
                  PutToken{MemberId{1}, make_token(2, "erased with its member")},
                  PutToken{MemberId{1}, make_token(3, "overwritten")}, PutMember{make_member(2)},
                  PutToken{MemberId{2}, make_token(4, "stays")}});
  store.reset();
  std::vector<std::string> gone;
  std::string stays;
  {
    RawSqlite raw(path());
    for (const char* const id : {"1", "2", "3"}) {
      gone.push_back(raw.value(std::string("SELECT sealed FROM token WHERE id = ") + id));
    }
    stays = raw.value("SELECT sealed FROM token WHERE id = 4");
  }
  for (const std::string& sealed : gone) ASSERT_NE("", files_with(sealed));

  store = open();
  commit(*store, {EraseToken{TokenId{1}}});
  commit(*store, {PutToken{MemberId{2}, make_token(3, "overwritten")}});
  commit(*store, {EraseToken{TokenId{2}}, ForgetMember{MemberId{1}}});
  commit(*store, {Scrub{}});
  for (const std::string& sealed : gone) {
    EXPECT_EQ("", files_with(sealed));
    EXPECT_EQ("", files_with(std::string_view(sealed).substr(sealed.size() - 16)));
  }
  EXPECT_EQ("rota.db ", files_with(stays));
}

// The engine, which does not know them, cannot erase them.
TEST_F(SqliteErase, P10WhatWasSetAsideGoesWithItsMember) {
  auto store = open();
  commit(*store, {PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(1, "one")},
                  PutToken{MemberId{1}, make_token(2, "of a key that is lost")},
                  PutToken{MemberId{1}, make_token(3, "damaged")}, PutMember{make_member(2)},
                  PutToken{MemberId{2}, make_token(4, "damaged, of another")}});
  store.reset();
  {
    RawSqlite raw(path());
    raw.run("UPDATE token SET key_id = x'0102030405060708' WHERE id = 2");
    raw.run("UPDATE token SET sealed = x'00' WHERE id IN (3, 4)");
  }
  store = open();
  ASSERT_EQ(3, load(*store).rows_set_aside);
  commit(*store, {EraseToken{TokenId{1}}, ForgetMember{MemberId{1}}});
  store.reset();
  EXPECT_EQ("4", RawSqlite(path()).value("SELECT group_concat(id) FROM token"));
}

// The same of a token that was damaged after the start: a put without a value leaves it as it is.
TEST_F(SqliteErase, P10WhatIsFoundDamagedLaterGoesWithItsMemberToo) {
  Token refresh = make_token(1, "one", TokenKind::kRefresh);
  auto store = open();
  commit(*store, {PutMember{make_member(1)}, PutToken{MemberId{1}, refresh},
                  PutToken{MemberId{1}, make_token(2, "two", TokenKind::kRefresh)},
                  PutMember{make_member(2)}});
  store.reset();
  RawSqlite(path()).run("UPDATE token SET sealed = x'00'");
  store = open();
  refresh.value.reset();
  refresh.status = TokenStatus::kRevoking;
  commit(*store, {PutToken{MemberId{2}, refresh}});
  const std::array wanted{TokenId{1}, TokenId{2}};
  const auto opened = store->open_tokens(wanted);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->at(TokenId{1}), nullptr);
  EXPECT_EQ(opened->at(TokenId{2}), nullptr);
  store.reset();
  EXPECT_EQ("1,1", RawSqlite(path()).value("SELECT group_concat(member) FROM token"));
  store = open();
  EXPECT_EQ(nullptr, store->open_tokens(wanted)->at(TokenId{1}));
  EXPECT_EQ(nullptr, store->open_tokens(wanted)->at(TokenId{2}));
  commit(*store, {ForgetMember{MemberId{1}}});
  store.reset();
  EXPECT_EQ("0", RawSqlite(path()).value("SELECT count(*) FROM token"));
}

// SQLite is not asked to remove what belongs to a member.
TEST_F(SqliteErase, P10NothingOfAMemberStaysInAnyTable) {
  auto store = open();
  Batch batch;
  for (const std::int64_t id : {1, 2}) {
    MemberRecord member = make_member(id);
    member.selectors.at(0).tags = {"staff"};
    member.selectors.at(0).enrolments = {
        {.client = "user:eve", .tags = {"staff"}, .since = testing::at(1)}};
    member.handles = {{.holder = "user:eve", .number = 1}};
    batch.push_back(PutMember{member});
    batch.push_back(PutToken{MemberId{id}, make_token(id, "one")});
  }
  commit(*store, batch);
  commit(*store, {EraseToken{TokenId{1}}, ForgetMember{MemberId{1}}});
  EXPECT_EQ(0, load(*store).rows_set_aside);
  store.reset();
  RawSqlite raw(path());
  for (const std::string table :
       {"selector", "tag", "enrolment", "enrolment_tag", "handle", "token"}) {
    EXPECT_EQ("2", raw.value("SELECT group_concat(member) FROM " + table)) << table;
  }
  EXPECT_EQ("2", raw.value("SELECT group_concat(id) FROM member"));
}

// The batch goes into the log, and the database cannot grow: so the log cannot be cut.
class SqliteScrubOwed : public SqliteErase {
 protected:
  std::unique_ptr<SqliteStore> store_with_a_scrub_owed() {
    auto store = open();
    commit(*store, many(1));
    commit(*store, {Scrub{}});
    const testing::FileSizeLimit full(std::filesystem::file_size(path()));
    Batch batch = many(101);
    batch.push_back(EraseToken{TokenId{1}});
    batch.push_back(Scrub{});
    commit(*store, batch);
    EXPECT_FALSE(log().empty());
    return store;
  }
  static Batch many(std::int64_t first) {
    constexpr std::int64_t kMany = 100;
    Batch batch{PutMember{make_member(1)}};
    for (std::int64_t id = first; id < first + kMany; ++id) {
      batch.push_back(PutToken{MemberId{1}, make_token(id, std::string(500, 'x'))});
    }
    return batch;
  }
  std::string log() const { return read_all(folder_.path()).at("rota.db-wal"); }
};

TEST_F(SqliteScrubOwed, P10ComesWithTheNextBatch) {
  auto store = store_with_a_scrub_owed();
  commit(*store, {PutMember{make_member(2)}});
  EXPECT_TRUE(log().empty());
  commit(*store, {PutMember{make_member(2)}});
  EXPECT_FALSE(log().empty()) << "and is owed no more";
}

TEST_F(SqliteScrubOwed, P10ComesWithoutABatchToo) {
  auto store = store_with_a_scrub_owed();
  EXPECT_TRUE(store->look_after());
  EXPECT_TRUE(log().empty());
}

TEST_F(SqliteErase, P10ACheckpointCutsTheJournalToNothing) {
  auto store = open();
  commit(*store, {Scrub{}});
  commit(*store, {PutMember{make_member(1)}});
  EXPECT_FALSE(read_all(folder_.path()).at("rota.db-wal").empty());
  commit(*store, {Scrub{}});
  EXPECT_TRUE(read_all(folder_.path()).at("rota.db-wal").empty());
  EXPECT_EQ(1U, load(*store).members.size());
}

}  // namespace
}  // namespace rota
