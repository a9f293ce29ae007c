// A file of the database that is moved, removed or replaced while the store has it open (P2).

#include <functional>

#include "raw_sqlite.h"

namespace rota {
namespace {

using testing::Batch;
using ::testing::HasSubstr;
using testing::make_member;
using testing::make_token;
using testing::write_bytes;

class SqliteGone : public testing::SqliteTest {
 protected:
  static void expect_gone(SqliteStore& store) {
    const Batch batch{PutMember{make_member(2)}, PutToken{MemberId{2}, make_token(2, "two")}};
    for (const Result<void>& result :
         {store.commit(batch), store.look_after(), store.append_audit({}, {}, std::nullopt)}) {
      ASSERT_FALSE(result);
      EXPECT_EQ(ErrorKind::kIo, result.error().kind);
      EXPECT_THAT(result.error().message, HasSubstr("was moved, removed or replaced"));
    }
  }
};

TEST_F(SqliteGone, P2NothingIsCommittedIntoAFileThatIsNotFoundAgain) {
  const auto log = folder_ / "rota.db-wal";
  const auto aside = folder_ / "aside";
  const std::pair<const char*, std::function<void()>> changes[] = {
      {"removed", [this] { std::filesystem::remove(path()); }},
      {"moved", [&] { std::filesystem::rename(path(), aside); }},
      {"replaced",
       [&] {
         std::filesystem::copy_file(path(), aside);
         std::filesystem::rename(aside, path());
       }},
      {"the log removed", [&] { std::filesystem::remove(log); }},
      {"the log replaced",
       [&] {
         write_bytes(aside, "");
         std::filesystem::rename(aside, log);
       }},
  };
  for (const auto& [how, change] : changes) {
    SCOPED_TRACE(how);
    for (const char* const file : {"rota.db", "rota.db-wal", "rota.db.mark", "aside"}) {
      std::filesystem::remove(folder_ / file);
    }
    auto store = open();
    commit(*store, {PutMember{make_member(1)}});
    EXPECT_TRUE(store->look_after());
    change();
    expect_gone(*store);
    const Snapshot found = load(*store);
    EXPECT_EQ(1U, found.members.size()) << "what is known is still there to be served";
  }
}

TEST_F(SqliteGone, P2TheSameBatchGoesInOnceTheFileIsBack) {
  auto store = open();
  commit(*store, {PutMember{make_member(1)}});
  std::filesystem::rename(path(), folder_ / "aside");
  expect_gone(*store);
  std::filesystem::rename(folder_ / "aside", path());
  EXPECT_TRUE(store->look_after());
  commit(*store, {PutMember{make_member(2)}, PutToken{MemberId{2}, make_token(2, "two")}});
  store.reset();
  EXPECT_EQ(2U, load(*open()).members.size());
}

}  // namespace
}  // namespace rota
