// Backups: what is in them, and that nobody can change one unnoticed.

#include <sys/stat.h>

#include <fstream>

#include "file_size_limit.h"
#include "raw_sqlite.h"
#include "sqlite/backup_file.h"

namespace rota {
namespace {

using testing::describe;
using ::testing::HasSubstr;
using testing::make_call;
using testing::make_member;
using testing::make_sealer;
using testing::make_token;
using testing::read_bytes;
using testing::write_bytes;

constexpr WallTime kNow{Duration{1'700'000'000'123}};

class SqliteBackup : public testing::SqliteTest {
 protected:
  // Enough members that the copy takes several steps, and so does the sealing.
  static void fill(SqliteStore& store) {
    testing::Batch all;
    for (std::int64_t n = 1; n <= 4'000; ++n) {
      all.emplace_back(PutMember{make_member(n)});
      all.emplace_back(PutToken{MemberId{n}, make_token(n, std::string(600, 'a'))});
    }
    commit(store, all);
  }
  // Calls `between(step)` after each step.
  template <class Between>
  static Result<Backup> back_up(SqliteStore& store, Between between) {
    for (int step = 1;; ++step) {
      auto done = store.continue_backup(kNow);
      if (!done) return std::unexpected(done.error());
      if (*done) return **std::move(done);
      between(step);
    }
  }
  static Backup back_up(SqliteStore& store) {
    auto made = back_up(store, [](int) {});
    EXPECT_TRUE(made) << made.error().message;
    return made ? *std::move(made) : Backup{};
  }
  Result<void> unseal(const std::filesystem::path& backup, char key = 'k') {
    auto reader = BackupReader::open(backup);
    if (!reader) return std::unexpected(reader.error());
    return reader->unseal(make_sealer(key), restored());
  }
  std::filesystem::path restored() const { return folder_ / "restored.db"; }
  // What a store finds in the unsealed copy.
  std::string content_of(const std::filesystem::path& backup) {
    const auto unsealed = unseal(backup);
    EXPECT_TRUE(unsealed) << unsealed.error().message;
    auto store = SqliteStore::open(restored(), make_sealer());
    EXPECT_TRUE(store) << store.error().message;
    return store ? describe(load(**store)) : "";
  }
  std::vector<std::string> files() const { return names_in(folder_ / ""); }
  std::vector<std::string> waiting() const { return names_in(folder_ / "rota.db.backups"); }

 private:
  static std::vector<std::string> names_in(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& each : std::filesystem::directory_iterator(folder)) {
      names.push_back(each.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
};

TEST_F(SqliteBackup, HasWhatIsCommittedWhileItIsMade) {
  auto store = open();
  fill(*store);
  int steps = 0;
  const auto made = back_up(*store, [&](int step) {
    steps = step;
    // A row on a page that was copied already, and one on a page that was not.
    commit(*store, {PutToken{MemberId{1}, make_token(1, "renewed")}, PutCall{make_call(step)},
                    EraseToken{TokenId{3'900 + step}}});
    if (step == 1) EXPECT_FALSE(store->commit(testing::Batch{PutMember{make_member(0)}}));
  });
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_GE(steps, 3) << "no commit came in between";
  EXPECT_EQ(kNow, made->made_at);
  EXPECT_EQ(std::filesystem::file_size(made->path), made->bytes);
  // The commits of the steps that sealed the copy came too late.
  auto reader = BackupReader::open(made->path);
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_TRUE(reader->unseal(make_sealer(), restored()));
  auto copy = SqliteStore::open(restored(), make_sealer());
  ASSERT_TRUE(copy) << copy.error().message;
  const Snapshot found = load(**copy);
  EXPECT_EQ(0, found.rows_set_aside);
  EXPECT_EQ(4'000U, found.members.size());
  EXPECT_EQ("renewed", found.members[0].tokens.at(0).value->reveal());
  const std::int64_t copied = std::ssize(found.calls);
  EXPECT_GE(copied, 2) << "some commits came while it was copied";
  EXPECT_LT(copied, steps);
  EXPECT_EQ(reader->head().commit, copied + 1);
  EXPECT_EQ(4'000, reader->head().members);
}

TEST_F(SqliteBackup, IsTheDatabase) {
  auto store = open();
  fill(*store);
  const Backup made = back_up(*store);
  EXPECT_EQ(describe(load(*store)), content_of(made.path));
  struct stat found{};
  ASSERT_EQ(0, ::stat(made.path.c_str(), &found));
  EXPECT_EQ(0600U, found.st_mode & 07777U);
  ASSERT_EQ(0, ::stat(restored().c_str(), &found));
  EXPECT_EQ(0600U, found.st_mode & 07777U);
}

TEST_F(SqliteBackup, P10HasNoNameInClear) {
  const std::string name = "grace.hopper@example.com";
  auto store = open();
  MemberRecord member = make_member(1);
  member.selectors.at(0).key = MemberKey::parse("email:" + name).value();
  commit(*store, {PutMember{member}});
  const std::string bytes = read_bytes(back_up(*store).path);
  EXPECT_FALSE(bytes.contains(name));
  // Looking for it can find it.
  EXPECT_TRUE((read_bytes(path()) + read_bytes(folder_ / "rota.db-wal")).contains(name));
}

TEST_F(SqliteBackup, LeavesNothingElseBehind) {
  {
    auto store = open();
    fill(*store);
    back_up(*store);
    EXPECT_THAT(files(), ::testing::ElementsAre("rota.db", "rota.db-wal", "rota.db.backups",
                                                "rota.db.lock", "rota.db.mark"));
    ASSERT_TRUE(store->continue_backup(kNow));
    EXPECT_TRUE(std::filesystem::exists(folder_ / "rota.db.copy"));
  }
  // The store went in the midst of the second one.
  EXPECT_THAT(files(),
              ::testing::ElementsAre("rota.db", "rota.db.backups", "rota.db.lock", "rota.db.mark"));
  EXPECT_THAT(waiting(), ::testing::ElementsAre("1")) << "the complete one";
  // As a process that died leaves them.
  write_bytes(folder_ / "rota.db.copy", "half");
  write_bytes(folder_ / "rota.db.backups/2", "half");
  open();
  EXPECT_THAT(files(), ::testing::ElementsAre("rota.db", "rota.db.lock", "rota.db.mark"));
}

// The first one is still being fetched when the next ones are made.
TEST_F(SqliteBackup, EachHasItsOwnFileAndTheOldestGoIfTooManyWait) {
  auto store = open();
  fill(*store);
  const Backup first = back_up(*store);
  const std::string bytes = read_bytes(first.path);
  commit(*store, {PutCall{make_call(1)}});
  const Backup second = back_up(*store);
  EXPECT_NE(first.path, second.path);
  EXPECT_EQ(bytes, read_bytes(first.path));
  for (std::size_t more = 2; more < WaitingBackups::kWaitingMax; ++more) back_up(*store);
  EXPECT_TRUE(std::filesystem::exists(first.path));
  back_up(*store);
  EXPECT_FALSE(std::filesystem::exists(first.path)) << "the oldest";
  EXPECT_EQ(describe(load(*store)), content_of(second.path));
  EXPECT_EQ(waiting().size(), WaitingBackups::kWaitingMax);
}

TEST_F(SqliteBackup, AFullDiskEndsItAndTheNextOneWorks) {
  auto store = open();
  fill(*store);
  ASSERT_TRUE(store->look_after());
  {
    const testing::FileSizeLimit limit(2'000'000);
    const auto made = back_up(*store, [](int) {});
    ASSERT_FALSE(made);
    EXPECT_EQ(ErrorKind::kFull, made.error().kind) << made.error().message;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "rota.db.copy"));
  EXPECT_TRUE(waiting().empty());
  commit(*store, {PutCall{make_call(1)}});
  EXPECT_EQ(describe(load(*store)), content_of(back_up(*store).path));
}

TEST_F(SqliteBackup, AChangedOrCutOneIsNotBelieved) {
  auto store = open();
  fill(*store);
  const std::string good = read_bytes(back_up(*store).path);
  const std::filesystem::path bad = folder_ / "bad.backup";
  const auto refused = [&](const std::string& bytes) {
    write_bytes(bad, bytes);
    const auto unsealed = unseal(bad);
    EXPECT_FALSE(std::filesystem::exists(restored())) << "a half database";
    return !unsealed && unsealed.error().kind == ErrorKind::kCorrupt;
  };
  const std::size_t head = good.find("\n\n") + 2;
  for (const std::size_t at : {std::size_t{0}, good.find("commit ") + 7, good.find("made ") + 8,
                               head, head + 24, good.size() / 2, good.size() - 1}) {
    std::string changed = good;
    changed[at] = changed[at] == '1' ? '2' : '1';
    EXPECT_TRUE(refused(changed)) << at;
  }
  constexpr std::size_t kSealedChunk = 65'536 + 17;
  for (const std::size_t size :
       {std::size_t{0}, head - 1, head, head + 24, head + 24 + kSealedChunk, good.size() - 1}) {
    EXPECT_TRUE(refused(good.substr(0, size))) << size;
  }
  EXPECT_TRUE(refused(good + "x"));
  // Two chunks that changed places.
  std::string swapped = good;
  swapped.replace(head + 24, kSealedChunk, good.substr(head + 24 + kSealedChunk, kSealedChunk));
  swapped.replace(head + 24 + kSealedChunk, kSealedChunk, good.substr(head + 24, kSealedChunk));
  EXPECT_TRUE(refused(swapped));
  write_bytes(bad, good);
  EXPECT_TRUE(unseal(bad));
}

TEST_F(SqliteBackup, AnotherKeyIsToldFromDamage) {
  auto store = open();
  const Backup made = back_up(*store);
  const auto other = unseal(made.path, 'x');
  ASSERT_FALSE(other);
  EXPECT_EQ(ErrorKind::kConfig, other.error().kind);
  EXPECT_THAT(other.error().message, HasSubstr("another store key"));
}

TEST(BackupHead, IsReadAsItIsWritten) {
  const BackupHead head{.made_at = kNow,
                        .rota = "0.1.0",
                        .schema = 8,
                        .community = 7,
                        .members = 20,
                        .commit = 5,
                        .database = {1, 2, 0xff},
                        .key = {9, 0xab}};
  const std::string text = backup_head_text(head);
  const auto read = parse_backup_head(text + "more");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(head, *read);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_backup_head(text.substr(0, size))) << size;
  }
  // One way to write each.
  for (const auto& [from, to] : {std::pair{"schema 8", "schema 08"}, std::pair{"ff", "FF"},
                                 std::pair{"members 20", "members +20"},
                                 std::pair{"backup 1", "backup 2"}, std::pair{"key", "kex"}}) {
    std::string other = text;
    other.replace(other.find(from), std::string_view(from).size(), to);
    EXPECT_FALSE(parse_backup_head(other)) << to;
  }
}

}  // namespace
}  // namespace rota
