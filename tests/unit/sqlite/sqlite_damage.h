#pragma once

#include <fmt/format.h>

#include "raw_sqlite.h"

namespace rota::testing {

// A database of two members, whose rows a test changes past the store.
class SqliteDamage : public SqliteTest {
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

}  // namespace rota::testing
