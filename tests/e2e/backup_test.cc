#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "e2e/box.h"
#include "settings/secret_files.h"
#include "sqlite/sealer.h"
#include "sqlite/sqlite_store.h"
#include "store/load_with_values.h"

// `rota backup`, `rota restore` and `rota rekey` with a real daemon.

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Keeping : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.daemon.start());
    ASSERT_TRUE(eventually([&] {
      return served("community_member_id=1") && served("email=member2@example.com") &&
             served("sso_user_id=sso|3");
    }));
  }
  bool served(std::string_view query) const { return !box.daemon.token(query).empty(); }
  std::string file() const { return (box.folder / "rota.backup").string(); }
  Finished back_up() const { return box.daemon.cli({"backup", file()}); }
  Finished restore(std::vector<std::string> more = {"--yes"}) const {
    std::vector<std::string> words{"restore", file(), "--config",
                                   box.daemon.config_path().string()};
    words.insert(words.end(), more.begin(), more.end());
    return box.daemon.cli(words);
  }
  // While rotad is stopped.
  std::set<std::string> refresh_tokens() const {
    const auto key = read_secret_file((box.daemon.folder() / "credentials/store-key").string());
    auto store =
        SqliteStore::open(box.daemon.database(), *Sealer::create(*parse_store_key(key->reveal())));
    EXPECT_TRUE(store) << store.error().message;
    const auto found = load_with_values(**store);
    EXPECT_TRUE(found) << found.error().message;
    std::set<std::string> values;
    for (const MemberRecord& member : found->members) {
      for (const Token& token : member.tokens) {
        if (token.kind == TokenKind::kRefresh) values.emplace(token.value->reveal());
      }
    }
    return values;
  }
  std::string state_of(std::string_view key) const {
    return std::string(box.daemon.member(key).at("state").as_string());
  }
  std::vector<std::string> state_files() const {
    std::vector<std::string> names;
    for (const auto& each :
         std::filesystem::directory_iterator(box.daemon.database().parent_path())) {
      names.push_back(each.path().filename().string());
    }
    return names;
  }

  Box box{{"--access-ttl", "120s", "--refresh-ttl", "10m"}};
};

TEST_F(Keeping, ABackupIsMadeWhileRotadRuns) {
  const Finished made = back_up();
  EXPECT_EQ(made.code, 0) << made.output;
  EXPECT_THAT(made.output, HasSubstr("sealed with the store key"));
  struct stat found{};
  ASSERT_EQ(::stat(file().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0600U);
  EXPECT_TRUE(std::filesystem::is_empty(box.daemon.database().string() + ".backups"));
  EXPECT_THAT(box.daemon.audit_trail(), ::testing::Contains(HasSubstr("backup_asked")));
  EXPECT_TRUE(served("community_member_id=1"));
  const std::string first = testing::read_bytes(file());
  // What cannot be written leaves the file as it was.
  ASSERT_EQ(::mkdir((file() + ".part").c_str(), 0700), 0);
  EXPECT_EQ(back_up().code, 1);
  EXPECT_EQ(testing::read_bytes(file()), first);
  ASSERT_EQ(::rmdir((file() + ".part").c_str()), 0);
  EXPECT_EQ(back_up().code, 0);
  EXPECT_NE(testing::read_bytes(file()), first);
}

TEST_F(Keeping, NothingIsRestoredWhileRotadRuns) {
  ASSERT_EQ(back_up().code, 0);
  const Finished refused = restore();
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.output, HasSubstr("systemctl stop rotad"));
  EXPECT_TRUE(served("community_member_id=1"));
}

TEST_F(Keeping, P4ARestoreForgetsNoBlockAndLosesNoToken) {
  ASSERT_EQ(back_up().code, 0);
  ASSERT_EQ(box.daemon.cli({"rotate", "id:1"}).code, 0);
  const std::string newer = box.daemon.token("community_member_id=1");
  ASSERT_EQ(box.daemon.cli({"revoke", "email:member2@example.com"}).code, 0);
  ASSERT_EQ(box.daemon.stop(), 0);

  const Finished done = restore();
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("blocked, and stay so: 1: email:member2@example.com"));
  EXPECT_THAT(done.output, HasSubstr("rota.db.before-"));

  ASSERT_TRUE(box.daemon.start());
  EXPECT_EQ(state_of("email:member2@example.com"), "blocked");
  EXPECT_EQ(box.daemon.fetch("email=member2@example.com").status, 410);
  ASSERT_TRUE(eventually([&] { return served("community_member_id=1"); }));
  const std::string asked = box.daemon.token("community_member_id=1");
  EXPECT_EQ(box.sandbox.state_of(asked), "live");
  EXPECT_THAT(box.daemon.audit_trail(), ::testing::Contains(HasSubstr("\"restored\"")));
  // The token from after the copy is on the ledger: it dies with the member.
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  EXPECT_EQ(box.sandbox.state_of(newer), "revoked");
  EXPECT_EQ(box.sandbox.state_of(asked), "revoked");
}

// Refresh tokens are on disk only, and cost an issue for each member if they are lost.
TEST_F(Keeping, P3RefreshTokensFromAfterTheCopyAreCarriedOver) {
  ASSERT_EQ(back_up().code, 0);
  ASSERT_EQ(box.daemon.cli({"enrol", "id:4"}).code, 0);
  ASSERT_EQ(box.daemon.stop(), 0);
  const std::set<std::string> before = refresh_tokens();
  ASSERT_EQ(before.size(), 4U);
  const Finished done = restore();
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("came, and stay: 1: id:4"));
  EXPECT_EQ(refresh_tokens(), before);
}

TEST_F(Keeping, P7WithoutADatabaseTheWindowCountsAsFull) {
  ASSERT_EQ(back_up().code, 0);
  ASSERT_EQ(box.daemon.stop(), 0);
  for (const char* suffix : {"", ".mark"}) {
    std::filesystem::remove(box.daemon.database().string() + suffix);
  }
  // The log of another database, which must not meet the copy.
  testing::write_bytes(box.daemon.database().string() + "-wal", "not of this database");
  const Finished done = restore();
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("LOST"));
  EXPECT_THAT(done.output, HasSubstr("makes none for the first 5m"));
  ASSERT_TRUE(box.daemon.start());
  const std::int64_t calls = box.sandbox.calls();
  EXPECT_EQ(box.daemon.fetch("community_member_id=1&wait=0").status, 503) << "Circle must be asked";
  const boost::json::object status =
      boost::json::parse(box.daemon.cli({"status", "--json"}).output).as_object();
  const boost::json::object& budget = status.at("upstream").as_object();
  EXPECT_GE(budget.at("window_used").as_int64(), budget.at("window_limit").as_int64());
  EXPECT_EQ(box.sandbox.calls(), calls);
}

// Of before a rekey.
TEST_F(Keeping, ABackupOfAnEarlierKeyNeedsThatKeyAndIsSealedAnew) {
  ASSERT_EQ(back_up().code, 0);
  const std::string key = (box.daemon.folder() / "credentials/store-key").string();
  const std::string old_key = (box.folder / "old-key").string();
  std::filesystem::copy(key, old_key);
  ASSERT_EQ(box.daemon.stop(), 0);
  const std::set<std::string> tokens = refresh_tokens();
  ASSERT_EQ(box.daemon.cli({"rekey", "--config", box.daemon.config_path().string()}).code, 0);

  const std::string before = testing::read_bytes(box.daemon.database());
  Finished refused = restore();
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.output, HasSubstr("name the file of that key with --key-file"));
  testing::write_bytes(box.folder / "another-key", std::string(64, 'c') + "\n");
  std::filesystem::permissions(box.folder / "another-key", std::filesystem::perms::owner_read |
                                                               std::filesystem::perms::owner_write);
  refused = restore({"--yes", "--key-file", (box.folder / "another-key").string()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.output, HasSubstr("another store key"));
  refused = restore({"--yes", "--key-file", (box.folder / "nowhere").string()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(testing::read_bytes(box.daemon.database()) == before);
  EXPECT_THAT(state_files(), Not(::testing::Contains(HasSubstr("restoring"))));

  // Without a database of now the copy alone decides.
  std::filesystem::remove(box.daemon.database());
  const Finished done = restore({"--yes", "--key-file", old_key});
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("is sealed anew"));
  EXPECT_EQ(refresh_tokens(), tokens) << "with the key of now";
  // A backup of the key of now needs no other, whatever is named.
  ASSERT_TRUE(box.daemon.start());
  ASSERT_EQ(back_up().code, 0);
  ASSERT_EQ(box.daemon.stop(), 0);
  EXPECT_EQ(restore({"--yes", "--key-file", old_key}).code, 0);
}

TEST_F(Keeping, ADamagedBackupChangesNothing) {
  ASSERT_EQ(back_up().code, 0);
  ASSERT_EQ(box.daemon.stop(), 0);
  std::string bytes = testing::read_bytes(file());
  bytes[bytes.size() / 2] ^= 1;
  testing::write_bytes(file(), bytes);
  const std::string before = testing::read_bytes(box.daemon.database());
  const Finished refused = restore();
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.output, HasSubstr("cut off or changed"));
  EXPECT_EQ(testing::read_bytes(box.daemon.database()), before);
  EXPECT_THAT(state_files(), Not(::testing::Contains(HasSubstr("restoring"))));
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(served("community_member_id=1")) << "with the token that it had";
}

// As root does it for a service that has a user of its own.
TEST(KeepingForAnotherUser, P11FilesBelongToTheUserOfTheDatabase) {
  constexpr uid_t kUser = 60'900;
  Box box({"--access-ttl", "120s", "--refresh-ttl", "10m"});
  std::filesystem::permissions(box.folder.path(), std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  box.daemon.runs_as = Caller{.uid = kUser, .gid = kUser, .groups = {}};
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  const std::string file = (box.folder / "rota.backup").string();
  const std::string config = box.daemon.config_path().string();
  const auto owner_of = [](const std::filesystem::path& path) {
    struct stat found{};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_uid;
  };
  ASSERT_EQ(box.daemon.cli({"backup", file}).code, 0);
  EXPECT_EQ(owner_of(file), 0U) << "of whoever asked for it";
  ASSERT_EQ(box.daemon.stop(), 0);
  const Finished restored = box.daemon.cli({"restore", file, "--yes", "--config", config});
  ASSERT_EQ(restored.code, 0) << restored.output;
  const Finished rekeyed = box.daemon.cli({"rekey", "--config", config});
  ASSERT_EQ(rekeyed.code, 0) << rekeyed.output;
  for (const auto& each :
       std::filesystem::directory_iterator(box.daemon.database().parent_path())) {
    EXPECT_EQ(owner_of(each.path()), kUser) << each.path();
  }
  EXPECT_EQ(owner_of(box.daemon.folder() / "credentials" / "store-key"), kUser) << "as before";
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
}

}  // namespace
}  // namespace rota::e2e
