// P11: what the names in grants mean, and when they come to mean something.

#include <gmock/gmock.h>

#include <fstream>

#include "e2e/grant_box.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Grants, AHolderWhoStandsForStrangersIsAnErrorThatNamesItsLine) {
  GrantBox box;
  for (const auto holder : {"user = \"nobody\"", "group = \"nogroup\""}) {
    box.daemon.extra = grant(holder, "\"*\"");
    box.daemon.write_config();
    for (const auto& options : {std::vector<std::string>{}, std::vector<std::string>{"--check"}}) {
      auto arguments = options;
      arguments.insert(arguments.end(), {"--config", box.daemon.config_path()});
      const Finished ended = box.daemon.daemon_command(arguments);
      EXPECT_EQ(ended.code, 78) << ended.output;
      EXPECT_THAT(ended.output, HasSubstr(box.daemon.config_path().string() + ":"));
      EXPECT_THAT(ended.output, HasSubstr("other user namespaces"));
    }
  }
}

// A user of a directory that is not up yet at boot, or one who was deleted.
TEST_F(Grants, P11AHolderWhoIsNotThereIsHeldBackAndNothingElseIs) {
  GrantBox box;
  box.daemon.extra =
      grant("user = \"no-such-user\"", "\"*\"") + grant("user = \"62001\"", "\"id:1\"");
  ASSERT_TRUE(box.daemon.start());
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=1"), "200");
  EXPECT_EQ(box.verdict(user(62'002), "community_member_id=1"), "forbidden");
  EXPECT_TRUE(box.daemon.comes_to_say("grant 1: user: no user \"no-such-user\""));
  const Reply ready = box.daemon.admin(get("/readyz"));
  EXPECT_THAT(ready.body, HasSubstr("grants_held_back"));
  EXPECT_THAT(ready.body, Not(HasSubstr("no-such-user")));
  const Finished check =
      box.daemon.daemon_command({"--check", "--config", box.daemon.config_path()});
  EXPECT_EQ(check.code, 0) << check.output;
  EXPECT_THAT(check.output, HasSubstr("grant held back until its user or group is found"));

  box.daemon.extra = grant("user = \"62001\"", "\"id:1\"");
  box.daemon.write_config();
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(box.daemon.admin(get("/readyz")).status, 200);
}

TEST_F(Grants, P11AReloadDropsAHolderWhoIsGone) {
  GrantBox box;
  box.daemon.extra = grant("user = \"62001\"", "\"id:1\"");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_EQ(box.verdict(user(62'001), "community_member_id=1"), "200");
  box.daemon.extra = grant("user = \"no-such-user\"", "\"*\"");
  box.daemon.write_config();
  const Finished reload = box.daemon.cli({"reload"});
  EXPECT_EQ(reload.code, 0) << reload.output;
  EXPECT_THAT(reload.output, HasSubstr("GRANT HELD BACK"));
  EXPECT_THAT(reload.output, HasSubstr("no user \"no-such-user\""));
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=1"), "forbidden");
}

// As where a directory service comes up after rotad: no reload, and nobody has to notice.
TEST_F(Grants, P11AHolderWhoComesToBeThereIsGrantedWithoutAReload) {
  GrantBox box;
  const auto accounts = box.folder.path() / "passwd";
  std::filesystem::copy_file("/etc/passwd", accounts);
  box.daemon.extra =
      grant("user = \"rota-late\"", "\"id:1\"") + grant("user = \"62002\"", "\"id:1\"");
  box.daemon.write_config();
  // In a mount namespace of its own, with accounts of its own.
  box.daemon.launch(
      {}, fmt::format("exec unshare --mount /bin/sh -c 'mount --bind {} /etc/passwd && \"$@\"' sh",
                      accounts.string()));
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  EXPECT_EQ(box.verdict(user(62'002), "community_member_id=1"), "200");
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=1"), "forbidden");
  EXPECT_THAT(box.daemon.admin(get("/readyz")).body, HasSubstr("grants_held_back"));

  Connection connection = user(62'001).connect(box.daemon.token_socket());  // before it is known
  std::ofstream(accounts, std::ios::app) << "rota-late:x:62001:62001::/:/bin/false\n";
  EXPECT_TRUE(eventually([&] {
    connection.send(get("/v1/token?community_member_id=1"));
    return connection.read_reply().status == 200;
  }));
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=4"), "forbidden")
      << "that grant, no more";
  EXPECT_EQ(box.daemon.admin(get("/readyz")).status, 200);
  EXPECT_TRUE(box.daemon.comes_to_say("no grant is held back any more"));
}

}  // namespace
}  // namespace rota::e2e
