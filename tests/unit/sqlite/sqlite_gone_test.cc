// A file of the database that is moved, removed, replaced or overwritten while the store has it
// open (P2).

#include <filesystem>
#include <functional>
#include <string>

#include "raw_sqlite.h"

namespace rota {
namespace {

using testing::Batch;
using ::testing::HasSubstr;
using testing::make_member;
using testing::make_token;
using testing::read_bytes;
using testing::write_bytes;

class SqliteGone : public testing::SqliteTest {
 protected:
  static void expect_gone(SqliteStore& store, const char* why = "was moved, removed or replaced") {
    const Batch batch{PutMember{make_member(2)}, PutToken{MemberId{2}, make_token(2, "two")}};
    for (const Result<void>& result :
         {store.commit(batch), store.look_after(), store.append_audit({}, {}, std::nullopt)}) {
      ASSERT_FALSE(result);
      EXPECT_EQ(ErrorKind::kIo, result.error().kind);
      EXPECT_THAT(result.error().message, HasSubstr(why));
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

TEST_F(SqliteGone, P2NothingIsCommittedIntoAFileThatSomebodyElseHasWritten) {
  const auto log = folder_ / "rota.db-wal";
  const auto add = [](const std::filesystem::path& file, Duration later) {
    std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + later);
  };
  const std::pair<const char*, std::function<void(const std::string&)>> changes[] = {
      {"cut to nothing", [this](auto&) { std::filesystem::resize_file(path(), 0); }},
      {"cut by a page",
       [this](auto& now) { write_bytes(path(), now.substr(0, now.size() - 2048)); }},
      {"longer", [this](auto& now) { write_bytes(path(), now + "x"); }},
      {"another file", [this](auto& now) { write_bytes(path(), std::string(now.size(), 'x')); }},
      {"another header",
       [this](auto& now) { write_bytes(path(), now.substr(0, 24) + '!' + now.substr(25)); }},
      {"other pages, later",
       [&](auto& now) {
         write_bytes(path(), now.substr(0, now.size() - 1) + '!');
         add(path(), Duration{5'000});
       }},
      {"the log cut", [&](auto&) { std::filesystem::resize_file(log, 0); }},
      {"another log",
       [&](auto&) { write_bytes(log, std::string(std::filesystem::file_size(log), 'x')); }},
  };
  for (const auto& [how, change] : changes) {
    SCOPED_TRACE(how);
    for (const char* const file : {"rota.db", "rota.db-wal", "rota.db.mark"}) {
      std::filesystem::remove(folder_ / file);
    }
    auto store = open();
    for (int i = 0; i < 2; ++i) commit(*store, {PutMember{make_member(1)}});
    EXPECT_TRUE(store->look_after());
    EXPECT_GT(std::filesystem::file_size(log), 0U) << "the first commit of a start empties it";
    change(read_bytes(path()));
    expect_gone(*store, "was overwritten or cut");
  }
}

// Otherwise the stop would move the log into the ruined file, and remove it.
TEST_F(SqliteGone, P2AFileThatWasOverwrittenKeepsItsLogAndCanBeRestored) {
  auto store = open();
  commit(*store, {PutMember{make_member(1)}});
  commit(*store, {PutMember{make_member(3)}});
  const std::string file = read_bytes(path());
  std::filesystem::resize_file(path(), 0);
  expect_gone(*store, "was overwritten or cut");
  store.reset();
  EXPECT_EQ(0U, std::filesystem::file_size(path()));
  write_bytes(path(), file);
  EXPECT_EQ(2U, load(*open()).members.size());
}

TEST_F(SqliteGone, OwnCheckpointsAreNobodyElsesWork) {
  auto store = open();
  const auto size = std::filesystem::file_size(path());
  for (int i = 1; i <= 40; ++i) {
    commit(*store,
           {PutMember{make_member(i)}, PutToken{MemberId{i}, make_token(i, "one")}, Scrub{}});
    EXPECT_TRUE(store->look_after());
  }
  EXPECT_GT(std::filesystem::file_size(path()), size) << "the log was moved into the file";
}

}  // namespace
}  // namespace rota
