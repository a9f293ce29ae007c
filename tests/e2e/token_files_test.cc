// `rota files` against the real daemon: what is in the files, who may read it, when it goes, which
// programs run; and what has gone wrong in other programs of this kind.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "e2e/token_files.h"

namespace rota::e2e {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::vector<std::string> kLong{"--access-ttl", "1h", "--refresh-ttl", "10d"};

class Files : public ::testing::Test {
 protected:
  explicit Files(std::vector<std::string> sandbox = kLong) : box(std::move(sandbox)), files(box) {}
  void SetUp() override { ASSERT_TRUE(box.daemon.start()); }
  std::string token_of_one() { return box.daemon.token("community_member_id=1"); }

  Box box;
  TokenFiles files;
};

class ShortFiles : public Files {
 protected:
  ShortFiles() : Files({"--access-ttl", "6s", "--refresh-ttl", "10m"}) {}
};

TEST_F(Files, HoldTheTokenInEachFormat) {
  files.add("raw", "id:1");
  files.add("json", "id:1", "format = \"json\"");
  files.add("header", "email:member2@example.com", "format = \"header\"");
  files.add("env", "id:1", "format = \"env\"");
  files.add("own", "sso:sso|3",
            "format = \"template\"\ntemplate = \"\"\"[x]\n  token = {{access_token}}\n\"\"\"");
  files.start();
  const std::string one = token_of_one();
  ASSERT_TRUE(files.comes("raw", one)) << files.process().output();
  ASSERT_TRUE(files.comes(
      "own", fmt::format("[x]\n  token = {}\n", box.daemon.token("sso_user_id=sso%7C3"))));
  ASSERT_TRUE(files.comes("header", fmt::format("Authorization: Bearer {}\n",
                                                box.daemon.token("email=member2@example.com"))));
  EXPECT_THAT(
      files.text("json"),
      AllOf(StartsWith(fmt::format("{{\"access_token\":\"{}\",\"access_token_expires_at\"", one)),
            EndsWith("\"community_member_id\":1}\n")));
  EXPECT_THAT(files.text("env"), AllOf(StartsWith(fmt::format("ROTA_ACCESS_TOKEN={}\n", one)),
                                       HasSubstr("\nROTA_COMMUNITY_MEMBER_ID=1\n")));
  struct stat status{};
  ASSERT_EQ(::stat(files.path("raw").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(files.stop(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(files.path("."))) << "a stop takes the tokens away";
}

TEST_F(ShortFiles, FollowEachRotation) {
  files.add("raw", "id:1");
  files.start();
  std::string last;
  for (int rotation = 0; rotation < 3; ++rotation) {
    ASSERT_TRUE(eventually([&] {
      const std::string now = files.text("raw");
      return !now.empty() && now != last;
    })) << files.process().output();
    last = files.text("raw");
    EXPECT_EQ(box.sandbox.state_of(last), "live");
  }
}

TEST_F(Files, GoWithTheMemberAndComeBackWithIt) {
  files.add("one", "id:1");
  files.start();
  const std::string first = token_of_one();
  ASSERT_TRUE(files.comes("one", first));
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  EXPECT_TRUE(files.goes("one", Seconds{1}));
  EXPECT_TRUE(files.comes_to_say("no token of id:1 (member_blocked)"));
  ASSERT_EQ(box.daemon.cli({"reinstate", "id:1"}).code, 0);
  ASSERT_TRUE(eventually([&] { return !files.text("one").empty(); }));
  EXPECT_NE(files.text("one"), first);
  EXPECT_TRUE(files.comes_to_say("there is a token of id:1 again"));
}

TEST_F(Files, ASignOutReplacesTheToken) {
  files.add("one", "id:1");
  files.start();
  const std::string first = token_of_one();
  ASSERT_TRUE(files.comes("one", first));
  ASSERT_EQ(box.daemon.cli({"sign-out", "id:1"}).code, 0);
  EXPECT_TRUE(eventually([&] { return files.text("one") != first; }, Seconds{1}));
  ASSERT_TRUE(eventually([&] { return !files.text("one").empty(); }));
  EXPECT_EQ(box.sandbox.state_of(files.text("one")), "live");
}

// Somebody leaves, or is signed out, while nobody looks.
TEST_F(Files, WhoLeftWhileItWasDownLeavesNothingBehind) {
  files.add("one", "id:1", "keep = true");
  files.add("two", "email:member2@example.com", "keep = true");
  files.start();
  const std::string second = box.daemon.token("email=member2@example.com");
  ASSERT_TRUE(files.comes("one", token_of_one()));
  ASSERT_TRUE(files.comes("two", second));
  files.kill9();
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  ASSERT_EQ(box.daemon.cli({"sign-out", "email:member2@example.com"}).code, 0);
  EXPECT_NE(files.text("one"), "") << "there is nobody who could remove it";
  files.start();
  EXPECT_TRUE(files.goes("one", Seconds{2})) << files.process().output();
  ASSERT_TRUE(
      eventually([&] { return files.text("two") != second && !files.text("two").empty(); }));
  EXPECT_EQ(box.sandbox.state_of(files.text("two")), "live");
}

TEST_F(Files, OneThatIsNoMoreInTheConfigurationIsRemoved) {
  files.add("old", "id:1");
  files.add("kept", "id:1");
  files.start();
  ASSERT_TRUE(files.comes("old", token_of_one()));
  files.clear();
  files.add("kept", "id:1");
  files.add("new", "id:1");
  files.write_config();
  files.process().signal(SIGHUP);
  ASSERT_TRUE(files.comes("new", token_of_one())) << files.process().output();
  EXPECT_TRUE(files.goes("old"));
  EXPECT_EQ(files.text("kept"), token_of_one());
  // The same if it was not running.
  files.kill9();
  files.clear();
  files.add("kept", "id:1");
  files.start();
  EXPECT_TRUE(files.goes("new"));
}

TEST_F(Files, ABadConfigurationChangesNothingAtAReload) {
  files.add("one", "id:1");
  files.start();
  ASSERT_TRUE(files.comes("one", token_of_one()));
  files.add("one", "id:1");
  files.write_config();
  files.process().signal(SIGHUP);
  EXPECT_TRUE(
      files.comes_to_say("file 2: another file has the same path; the configuration of "
                         "before stays in force"))
      << files.process().output();
  EXPECT_EQ(files.text("one"), token_of_one());
  const Finished checked =
      run({ROTA_CLI, "files", "--check", "--config", files.config_path()}, box.folder.path());
  EXPECT_EQ(checked.code, 78);
  EXPECT_THAT(checked.output, HasSubstr("files.toml:"));
}

TEST_F(Files, OneMemberWhomTheDaemonRefusesDoesNotKeepTheOthersFromTheirs) {
  files.add("unknown", "id:4711");
  files.add("one", "id:1");
  files.start();
  EXPECT_TRUE(files.comes("one", token_of_one())) << files.process().output();
  EXPECT_TRUE(files.comes_to_say("no token of id:4711 (member_unknown)"));
}

TEST_F(Files, StayWhileTheDaemonIsAway) {
  files.add("one", "id:1");
  files.start();
  const std::string first = token_of_one();
  ASSERT_TRUE(files.comes("one", first));
  box.daemon.kill9();
  EXPECT_TRUE(files.comes_to_say("no answer"));
  EXPECT_EQ(files.text("one"), first);
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(files.comes_to_say("answers again"));
  EXPECT_EQ(files.text("one"), first);
}

TEST_F(ShortFiles, AnExpiredTokenIsRemovedThoughTheDaemonIsAway) {
  files.add("one", "id:1");
  files.start();
  ASSERT_TRUE(eventually([&] { return !files.text("one").empty(); }));
  box.daemon.kill9();
  const std::string last = files.text("one");
  ASSERT_TRUE(files.goes("one"));
  EXPECT_TRUE(eventually([&] { return box.sandbox.state_of(last) == "expired"; }, Seconds{3}))
      << "it goes a moment before, and not earlier";
}

// ---- Who may read and write ----

TEST_F(Files, OwnerGroupAndModeAreAsAskedFor) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can give a file away";
  files.add("one", "id:1", "owner = \"62001\"\ngroup = \"62002\"\nmode = \"0440\"");
  files.start();
  ASSERT_TRUE(files.comes("one", token_of_one())) << files.process().output();
  struct stat status{};
  ASSERT_EQ(::stat(files.path("one").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 62'001U);
  EXPECT_EQ(status.st_gid, 62'002U);
  EXPECT_EQ(status.st_mode & 07777U, 0440U);
}

TEST_F(Files, ALinkInItsPlaceIsReplacedAndNotFollowed) {
  files.add("one", "id:1");
  const auto victim = box.folder / "victim";
  testing::write_bytes(victim, "untouched");
  std::filesystem::create_symlink(victim, files.path("one"));
  std::filesystem::create_symlink(victim, files.path(".one.rota-new"));
  files.start();
  ASSERT_TRUE(files.comes("one", token_of_one())) << files.process().output();
  EXPECT_FALSE(std::filesystem::is_symlink(files.path("one")));
  EXPECT_EQ(testing::read_bytes(victim), "untouched");
  std::filesystem::remove(files.path("one"));
  std::filesystem::create_symlink(victim, files.path("one"));
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  EXPECT_TRUE(files.goes("one"));
  EXPECT_EQ(testing::read_bytes(victim), "untouched");
}

TEST_F(Files, AFolderOfOthersIsRefusedUntilItIsOurs) {
  std::filesystem::create_directory(files.path("open"));
  std::filesystem::permissions(files.path("open"), std::filesystem::perms::group_write,
                               std::filesystem::perm_options::add);
  std::filesystem::create_directory_symlink(files.path("open"), files.path("link"));
  files.add("open/one", "id:1");
  files.add("link/one", "id:1");
  files.start();
  EXPECT_TRUE(files.comes_to_say("chmod go-w"));
  EXPECT_TRUE(files.comes_to_say("is a symbolic link"));
  EXPECT_FALSE(std::filesystem::exists(files.path("open/one")));
  std::filesystem::permissions(files.path("open"), std::filesystem::perms::owner_all);
  EXPECT_TRUE(files.comes("open/one", token_of_one()));
}

TEST_F(Files, AFullDiskLeavesTheOldTokenAndIsOverByItself) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can mount";
  files.add("one", "id:1");
  const std::string folder = files.path(".").parent_path();
  files.start({"unshare", "-m", "sh", "-c",
               fmt::format("mount -t tmpfs -o size=8k,mode=0700 none {} && exec \"$@\"", folder),
               "sh"});
  const std::filesystem::path inside =
      fmt::format("/proc/{}/root{}", files.process().pid(), folder);
  const auto text = [&] {
    return std::filesystem::exists(inside / "one") ? testing::read_bytes(inside / "one") : "";
  };
  const std::string first = token_of_one();
  ASSERT_TRUE(eventually([&] { return text() == first; })) << files.process().output();
  {
    std::ofstream filler(inside / "filler");
    filler << std::string(4'096, 'x');
  }
  ASSERT_EQ(box.daemon.cli({"rotate", "id:1"}).code, 0);
  ASSERT_TRUE(files.comes_to_say("No space left on device"));
  EXPECT_EQ(text(), first);
  std::filesystem::remove(inside / "filler");
  const std::string second = token_of_one();
  EXPECT_NE(second, first);
  EXPECT_TRUE(eventually([&] { return text() == second; }));
  EXPECT_TRUE(files.comes_to_say("done now"));
  files.stop();
}

// ---- Programs ----

TEST_F(Files, AProgramRunsWhenTheTokenChangesAndNeverBecauseOfARestart) {
  files.add("one", "id:1", fmt::format("run = [\"{}\", \"a b\", \"$HOME\"]", files.program()));
  files.start();
  ASSERT_TRUE(eventually([&] { return files.runs() == 1; })) << files.process().output();
  EXPECT_EQ(testing::read_bytes(box.folder / "runs"), "a b $HOME\n") << "there is no shell";
  ASSERT_EQ(box.daemon.cli({"rotate", "id:1"}).code, 0);
  ASSERT_TRUE(eventually([&] { return files.runs() == 2; }));
  ASSERT_TRUE(eventually([&] { return files.is_told("one"); }));
  files.kill9();
  box.daemon.kill9();
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(files.starts_without_a_run()) << files.process().output();
  EXPECT_FALSE(std::filesystem::exists(files.path("one"))) << "a stop removes it";
  EXPECT_TRUE(files.starts_without_a_run()) << files.process().output();
  EXPECT_EQ(files.runs(), 2);
  files.start();
  ASSERT_TRUE(files.comes("one", token_of_one()));
  files.kill9();
  ASSERT_TRUE(eventually([&] { return box.daemon.cli({"rotate", "id:1"}).code == 0; }));
  files.start();
  EXPECT_TRUE(eventually([&] { return files.runs() == 3; }))
      << "what changed meanwhile is a change";
}

TEST_F(Files, AProgramThatWasDueWhenItWasKilledRunsAfterIt) {
  files.add("one", "id:1", fmt::format("run = [\"{}\"]", files.program()));
  files.start();
  ASSERT_TRUE(files.comes("one", token_of_one()));
  files.kill9();
  EXPECT_EQ(files.runs(), 0);
  files.start();
  EXPECT_TRUE(eventually([&] { return files.runs() == 1; }));
}

TEST_F(Files, AProgramThatFailsOrHangsRunsAgain) {
  const auto seen = (box.folder / "seen").string();
  files.add("one", "id:1",
            fmt::format(
                "run = [\"{}\"]",
                files.program(fmt::format("[ -e {0} ] || {{ touch {0}; exit 3; }}\n"
                                          "[ -e {0}2 ] || {{ touch {0}2; exec /bin/sleep 1000; }}",
                                          seen))));
  files.start();
  EXPECT_TRUE(files.comes_to_say("ended with 3; it is run again")) << files.process().output();
  EXPECT_TRUE(files.comes_to_say("took longer than run_timeout"));
  EXPECT_TRUE(eventually([&] { return files.runs() == 1; }));
  EXPECT_TRUE(files.comes_to_say("has done it now"));
}

TEST_F(Files, AProgramGetsNoToken) {
  const auto seen = (box.folder / "seen").string();
  files.add("one", "id:1",
            fmt::format("run = [\"{}\"]",
                        files.program(fmt::format("cat /proc/self/environ /proc/$PPID/environ "
                                                  "/proc/$$/cmdline /proc/$$/environ >{}",
                                                  seen))));
  files.start();
  ASSERT_TRUE(eventually([&] { return files.runs() == 1; })) << files.process().output();
  const std::string shown = testing::read_bytes(seen);
  EXPECT_THAT(shown, HasSubstr("PATH="));
  for (const std::string& token : box.sandbox.all_tokens())
    EXPECT_THAT(shown, Not(HasSubstr(token)));
}

}  // namespace
}  // namespace rota::e2e
