#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "e2e/box.h"
#include "settings/secret_files.h"
#include "sqlite/sealer.h"
#include "sqlite/sqlite_store.h"
#include "store/load_with_values.h"

// `rota rekey`, also if it is killed in the place of any system call that changes a file. And the
// same of `rota restore`.

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Killed : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.daemon.start());
    ASSERT_TRUE(eventually([&] {
      return !box.daemon.token("community_member_id=1").empty() &&
             !box.daemon.token("email=member2@example.com").empty();
    }));
  }
  fs::path key() const { return box.daemon.folder() / "credentials" / "store-key"; }
  fs::path waiting() const { return key().string() + ".new"; }
  fs::path state() const { return box.daemon.database().parent_path(); }

  // The database and its key, to go back to.
  void keep() const {
    fs::remove_all(box.folder / "kept");
    fs::create_directory(box.folder / "kept");
    fs::copy(state(), box.folder / "kept/state", fs::copy_options::recursive);
    fs::copy(key(), box.folder / "kept/key");
  }
  void go_back() const {
    fs::remove_all(state());
    fs::copy(box.folder / "kept/state", state(), fs::copy_options::recursive);
    fs::permissions(state(), fs::perms::owner_all);
    fs::remove(waiting());
    fs::copy(box.folder / "kept/key", key(), fs::copy_options::overwrite_existing);
  }

  // All tokens that open with the key of this file; none: it is not the database's.
  std::optional<std::set<std::string>> tokens_with(const fs::path& file) const {
    const auto text = read_secret_file(file.string());
    if (!text) return std::nullopt;
    auto store =
        SqliteStore::open(box.daemon.database(), *Sealer::create(*parse_store_key(text->reveal())));
    if (!store) return std::nullopt;
    const auto found = load_with_values(**store);
    EXPECT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->rows_set_aside, 0);
    std::set<std::string> tokens;
    for (const MemberRecord& member : found->members) {
      for (const Token& token : member.tokens) tokens.emplace(token.value->reveal());
    }
    return tokens;
  }

  // With the store key of now.
  void expect_a_database_with_one_block(int call) const {
    ASSERT_TRUE(fs::exists(box.daemon.database())) << "killed at call " << call;
    auto store = SqliteStore::open(
        box.daemon.database(),
        *Sealer::create(*parse_store_key(read_secret_file(key().string())->reveal())));
    ASSERT_TRUE(store) << store.error().message << ", killed at call " << call;
    const auto found = load_with_values(**store);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->rows_set_aside, 0) << "killed at call " << call;
    EXPECT_EQ(std::ranges::count(found->members, MemberState::kBlocked, &MemberRecord::state), 1)
        << "killed at call " << call;
  }
  // Kills a restore in the place of each of its system calls. `words`: without --config.
  void kill_at_any_instant(std::vector<std::string> words) const {
    words.insert(words.end(), {"--yes", "--config", box.daemon.config_path().string()});
    keep();
    int call = 1;
    for (; run_killed_at(call, words) != 0; ++call) {
      ASSERT_LT(call, 2'000) << "it never comes to its end";
      expect_a_database_with_one_block(call);
      const Finished again = box.daemon.cli(words);
      ASSERT_EQ(again.code, 0) << again.output << ", killed at call " << call;
      go_back();
    }
    EXPECT_GT(call, 20);
    expect_a_database_with_one_block(call);
  }

  // 128 + SIGKILL if it was killed.
  int run_killed_at(int call, const std::vector<std::string>& words) const {
    std::vector<std::string> command{"/usr/bin/env", std::string("LD_PRELOAD=") + KILL_AT,
                                     fmt::format("KILL_AT={}", call), ROTA_CLI};
    command.insert(command.end(), words.begin(), words.end());
    return run(command, box.daemon.folder()).code;
  }

  Box box{{"--access-ttl", "120s", "--refresh-ttl", "10m"}};
};

TEST_F(Killed, AtAnyInstantOfARekeyTheDatabaseOpensWithOneOfTheKeys) {
  ASSERT_EQ(box.daemon.stop(), 0);
  const auto tokens = tokens_with(key());
  ASSERT_TRUE(tokens);
  ASSERT_GE(tokens->size(), 4U);
  keep();
  const std::vector<std::string> rekey{"rekey", "--config", box.daemon.config_path().string()};
  std::set<std::string> ends;
  int call = 1;
  for (; run_killed_at(call, rekey) != 0; ++call) {
    ASSERT_LT(call, 2'000) << "it never comes to its end";
    const auto with_old = tokens_with(key());
    const auto with_new = tokens_with(waiting());
    ASSERT_TRUE(with_old || with_new) << "killed at call " << call;
    EXPECT_EQ(*(with_old ? with_old : with_new), *tokens) << "killed at call " << call;
    ends.insert(with_old ? "with the old key" : "with the key that waits");
    const Finished again = box.daemon.cli(rekey);
    ASSERT_EQ(again.code, 0) << again.output << ", killed at call " << call;
    EXPECT_EQ(tokens_with(key()), tokens) << "killed at call " << call;
    EXPECT_FALSE(fs::exists(waiting()));
    go_back();
  }
  EXPECT_EQ(ends.size(), 2U) << "it was never killed between the database and the key";
  EXPECT_GT(call, 20);
  EXPECT_EQ(tokens_with(key()), tokens);
  EXPECT_NE(testing::read_bytes(key()), testing::read_bytes(box.folder / "kept/key"));
  ASSERT_TRUE(box.daemon.start());
  EXPECT_FALSE(box.daemon.token("community_member_id=1").empty());
}

TEST_F(Killed, AtAnyInstantOfARestoreADatabaseIsThereAndNoBlockIsLost) {
  const std::string file = (box.folder / "rota.backup").string();
  ASSERT_EQ(box.daemon.cli({"backup", file}).code, 0);
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  ASSERT_EQ(box.daemon.stop(), 0);
  kill_at_any_instant({"restore", file});
}

TEST_F(Killed, AtAnyInstantOfARestoreOfAnEarlierKeyTheDatabaseHasTheKeyOfNow) {
  const std::string file = (box.folder / "rota.backup").string();
  const std::string old_key = (box.folder / "old-key").string();
  ASSERT_EQ(box.daemon.cli({"backup", file}).code, 0);
  fs::copy(key(), old_key);
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  ASSERT_EQ(box.daemon.stop(), 0);
  ASSERT_EQ(box.daemon.cli({"rekey", "--config", box.daemon.config_path().string()}).code, 0);
  kill_at_any_instant({"restore", file, "--key-file", old_key});
  EXPECT_FALSE(tokens_with(old_key)) << "the key of before opens it no more";
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(eventually([&] { return !box.daemon.token("email=member2@example.com").empty(); }));
}

TEST_F(Killed, NothingIsRekeyedWhileRotadRuns) {
  const std::string before = testing::read_bytes(key());
  const Finished refused = box.daemon.cli({"rekey", "--config", box.daemon.config_path().string()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.output, HasSubstr("systemctl stop rotad"));
  EXPECT_EQ(testing::read_bytes(key()), before);
  EXPECT_FALSE(box.daemon.token("community_member_id=1").empty());
}

}  // namespace
}  // namespace rota::e2e
