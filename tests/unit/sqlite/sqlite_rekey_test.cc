// A database that is sealed with another key.

#include "file_size_limit.h"
#include "raw_sqlite.h"

namespace rota {
namespace {

using testing::describe;
using testing::make_member;
using testing::make_sealer;
using testing::make_token;
using testing::RawSqlite;
using testing::read_bytes;

class SqliteRekey : public testing::SqliteTest {
 protected:
  void SetUp() override {
    auto store = open();
    testing::Batch all;
    for (std::int64_t n = 1; n <= 300; ++n) {
      all.emplace_back(PutMember{make_member(n)});
      all.emplace_back(PutToken{MemberId{n}, make_token(n, std::string(600, 'a'))});
    }
    commit(*store, all);
    content = describe(load(*store));
  }
  std::string content_with(char key) {
    auto store = try_open(key);
    if (!store) return store.error().message;
    const Snapshot found = load(**store);
    EXPECT_FALSE(found.other) << "it is still the database that this machine used last";
    return describe(found);
  }
  std::string content;
};

TEST_F(SqliteRekey, EverythingOpensWithTheNewKeyAlone) {
  {
    auto store = open();
    ASSERT_TRUE(store->rekey(make_sealer('n')));
    EXPECT_EQ(content, describe(load(*store))) << "and the store goes on with it";
    commit(*store, {PutToken{MemberId{1}, make_token(1, std::string(600, 'a'))}});
  }
  EXPECT_EQ(content, content_with('n'));
  EXPECT_EQ(ErrorKind::kConfig, open_fails('k').kind);
}

TEST_F(SqliteRekey, P10NothingThatTheOldKeyOpensStays) {
  const std::string sealed = RawSqlite(path()).value("SELECT sealed FROM token WHERE id = 150");
  ASSERT_TRUE(read_bytes(path()).contains(sealed.substr(0, 500)));
  auto store = open();
  ASSERT_TRUE(store->rekey(make_sealer('n')));
  ASSERT_TRUE(SqliteStore::close(std::move(store)).tidy);
  const std::string left = read_bytes(path()) + read_bytes(folder_ / "rota.db-wal");
  EXPECT_FALSE(left.contains(sealed.substr(0, 500)));
}

TEST_F(SqliteRekey, AFullDiskLeavesTheOldKeyInForce) {
  {
    auto store = open();
    const testing::FileSizeLimit limit(100'000);
    const auto done = store->rekey(make_sealer('n'));
    ASSERT_FALSE(done);
    EXPECT_EQ(ErrorKind::kFull, done.error().kind) << done.error().message;
  }
  EXPECT_EQ(content, content_with('k'));
  EXPECT_EQ(ErrorKind::kConfig, open_fails('n').kind);
}

TEST_F(SqliteRekey, WhatWasSetAsideStaysSo) {
  RawSqlite(path()).run("UPDATE token SET expires_at = expires_at + 1 WHERE id = 5");
  {
    auto store = open();
    EXPECT_EQ(1, load(*store).rows_set_aside);
    ASSERT_TRUE(store->rekey(make_sealer('n')));
  }
  auto store = try_open('n');
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(1, load(**store).rows_set_aside);
}

}  // namespace
}  // namespace rota
