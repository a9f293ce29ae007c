// P11: a local program gets the members that its user or one of its groups is granted, by what the
// kernel says of it, and nothing else. These run as root, who alone can be others: as anybody else
// they fail.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <fstream>

#include "e2e/grant_box.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr gid_t kGranted = 60'123;

TEST_F(Grants, P11DecideByUserByEveryGroupAndByNothingElse) {
  GrantBox box;
  box.daemon.extra = grant("user = \"games\"", "\"*\"") + grant("user = \"62001\"", "\"id:1\"") +
                     grant("user = \"62002\"", "\"email:member2@example.com\", \"id:77\"") +
                     grant("user = \"62003\"", "\"tag:support\"") +
                     grant(fmt::format("group = \"{}\"", kGranted), "\"sso:sso|3\"") +
                     grant("group = \"games\"", "\"tag:beta\"");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_EQ(box.daemon.fetch("email=member2@example.com").status, 200);

  struct Row {
    Caller caller;
    std::string_view query;
    std::string_view wanted;
  };
  std::vector<gid_t> many;
  for (gid_t gid = 70'000; gid < 70'100; ++gid) many.push_back(gid);
  many.push_back(kGranted);
  const std::vector<Row> rows{
      // By user, all of it: one that does not exist is said to.
      {user(5), "community_member_id=1", "200"},
      {user(5), "sso_user_id=sso%7C3", "200"},
      {user(5), "community_member_id=99", "member_unknown"},
      // By key: the member under all its names, and a name that leads to nobody.
      {user(62'001), "community_member_id=1", "200"},
      {user(62'001), "community_member_id=4", "forbidden"},
      {user(62'001), "community_member_id=99", "forbidden"},
      {user(62'002), "email=member2@example.com", "200"},
      {user(62'002), "community_member_id=2", "200"},
      {user(62'002), "community_member_id=77", "member_unknown"},
      {user(62'002), "community_member_id=1", "forbidden"},
      // By tag: who has it, and nobody else.
      {user(62'003), "community_member_id=4", "200"},
      {user(62'003), "community_member_id=1", "forbidden"},
      {user(62'003), "community_member_id=99", "forbidden"},
      // By group: the primary one, one among few, one among more than is asked for at first.
      {user(63'000, kGranted), "sso_user_id=sso%7C3", "200"},
      {user(63'000, 61'000, {kGranted}), "sso_user_id=sso%7C3", "200"},
      {user(63'000, 61'000, many), "sso_user_id=sso%7C3", "200"},
      {user(63'000, 61'000, many), "community_member_id=1", "forbidden"},
      {user(63'000, 61'000, {61'001, 61'002}), "sso_user_id=sso%7C3", "forbidden"},
      {user(63'000, 60), "community_member_id=4", "200"},
      // A user is no group, a group is no user, and root's group and nobody are nothing.
      {user(kGranted), "sso_user_id=sso%7C3", "forbidden"},
      {user(63'000, 62'001, {62'001}), "community_member_id=1", "forbidden"},
      {user(63'000, 0, {0}), "community_member_id=1", "forbidden"},
      {user(65'534, 65'534), "community_member_id=1", "forbidden"},
      {user(63'000), "community_member_id=1", "forbidden"},
      {user(63'000), "community_member_id=99", "forbidden"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(box.verdict(row.caller, row.query), row.wanted)
        << "user " << row.caller.uid << " group " << row.caller.gid << " and "
        << row.caller.groups.size() << ": " << row.query;
  }
  // No grant reaches the admin socket, whatever the mode of its file should become.
  std::filesystem::permissions(box.daemon.admin_socket(), std::filesystem::perms::all);
  Connection admin = user(5).connect(box.daemon.admin_socket());
  admin.send(get("/v1/status") + get("/v1/token?community_member_id=1"));
  EXPECT_EQ(admin.read_reply().text("code"), "forbidden");
  EXPECT_EQ(admin.read_reply().text("code"), "forbidden");
}

// A refusal is byte for byte the same for a member who is there, who left, and who never was.
TEST_F(Grants, P11ARefusalTellsNothing) {
  GrantBox box;
  box.daemon.extra = grant("user = \"62003\"", "\"tag:support\"");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_EQ(box.daemon.fetch("community_member_id=4").status, 200);
  const Reply there = box.fetch_as(user(62'003), "community_member_id=1");
  const Reply never = box.fetch_as(user(62'003), "community_member_id=99");
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  const Reply left = box.fetch_as(user(62'003), "community_member_id=1");
  EXPECT_EQ(there.status, 403);
  EXPECT_EQ(there.head + there.body, never.head + never.body);
  EXPECT_EQ(there.head + there.body, left.head + left.body);
  // Who is granted by tag hears of a leaver, since the tag outlives the entry.
  box.daemon.write_roster(kThreeMembers);
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=4"), "member_retired");
}

TEST_F(Grants, P11TheCommandAsAnotherUserGetsWhatIsGranted) {
  GrantBox box;
  box.daemon.extra = grant("group = \"games\"", "\"id:1\"");
  ASSERT_TRUE(box.daemon.start());
  const auto token_as = [&](const Caller& caller, const std::string& key) {
    return run(caller.command({ROTA_CLI, "--socket", box.daemon.token_socket(), "token", key}),
               box.folder.path());
  };
  const Finished granted = token_as(user(62'500, 61'000, {60}), "id:1");
  EXPECT_EQ(granted.code, 0) << granted.output;
  EXPECT_EQ(granted.output, box.daemon.token("community_member_id=1") + "\n");
  const Finished other = token_as(user(62'500, 61'000, {60}), "id:4");
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.output, HasSubstr("no grant"));
  EXPECT_EQ(token_as(user(62'500), "id:1").code, 1);
}

// What a reload brings counts for the next request of a connection that was there before.
TEST_F(Grants, P11AReloadChangesThemForOpenConnections) {
  GrantBox box;
  ASSERT_TRUE(box.daemon.start());
  Connection connection = user(62'001).connect(box.daemon.token_socket());
  const auto ask = [&] {
    connection.send(get("/v1/token?community_member_id=1"));
    return GrantBox::text_of(connection.read_reply());
  };
  EXPECT_EQ(ask(), "forbidden");

  box.daemon.extra = grant("user = \"62001\"", "\"id:1\"");
  box.daemon.write_config();
  EXPECT_EQ(ask(), "forbidden") << "a file is not in force by being written";
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(ask(), "200");

  box.daemon.extra = grant("user = \"62001\"", "\"id:4\"");
  box.daemon.write_config();
  box.reload_by_signal("reload        done");
  EXPECT_EQ(ask(), "forbidden");
  EXPECT_TRUE(box.daemon.comes_to_say("new grants were read: 1"));
}

// Somebody who waits for a token when the grant goes gets none.
TEST_F(Grants, P11AReloadChangesThemForThoseWhoWait) {
  GrantBox box;
  box.daemon.extra = grant("user = \"62001\"", "\"*\"");
  ASSERT_TRUE(box.daemon.start());
  box.sandbox.faults(R"(["issue:html502:1"])");
  box.daemon.write_roster(std::string(kThreeMembers) + "[[member]]\ncommunity_member_id = 5\n");
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  Connection connection = user(62'001).connect(box.daemon.token_socket());
  connection.send(get("/v1/token?community_member_id=5&wait=20"));
  box.daemon.extra.clear();
  box.daemon.write_config();
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  box.sandbox.faults("[]");
  EXPECT_EQ(GrantBox::text_of(connection.read_reply()), "forbidden");
}

TEST_F(Grants, AConfigurationThatIsBrokenLeavesTheOldOnesAndKeepsNoRosterBack) {
  GrantBox box;
  box.daemon.roster_options["watch"] = "false";
  box.daemon.extra = grant("user = \"62001\"", "\"id:1\", \"id:4\"");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_EQ(box.verdict(user(62'001), "community_member_id=4"), "200");
  box.daemon.extra = grant("user = \"62002\"", "\"*\"") + "[[grant";
  box.daemon.write_config();
  box.daemon.write_roster(kThreeMembers);
  const Finished reload = box.daemon.cli({"reload"});
  EXPECT_EQ(reload.code, 1) << reload.output;
  EXPECT_THAT(reload.output, HasSubstr("stays in force, with its grants"));
  EXPECT_THAT(reload.output, HasSubstr("in force as on disk: app_token, roster"));
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=1"), "200");
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=4"), "member_retired");
  EXPECT_EQ(box.verdict(user(62'002), "community_member_id=1"), "forbidden");
  EXPECT_EQ(box.daemon.admin(get("/readyz")).status, 503) << "what is on disk is not in force";
}

// A typing error somewhere else in the file must not keep alive what the file no longer has.
TEST_F(Grants, P11AnErrorElsewhereKeepsNoWithdrawalBackAndLetsNothingIn) {
  GrantBox box;
  const std::string kept = grant("user = \"62001\"", "\"id:1\"");
  const std::string gone = grant("user = \"62002\"", "\"id:1\"");
  const std::string added = grant("user = \"62003\"", "\"id:1\"");
  box.daemon.extra = kept + gone;
  ASSERT_TRUE(box.daemon.start());
  const auto verdicts = [&] {
    return fmt::format("{} {} {}", box.verdict(user(62'001), "community_member_id=1"),
                       box.verdict(user(62'002), "community_member_id=1"),
                       box.verdict(user(62'003), "community_member_id=1"));
  };
  ASSERT_EQ(verdicts(), "200 200 forbidden");
  const auto reload = [&](const std::string& extra) {
    box.daemon.extra = extra;
    box.daemon.write_config();
    return box.daemon.cli({"reload"});
  };
  for (const std::string& broken :
       {std::string("[audit]\nnosuch = 1\n"), std::string("[audit]\nmax_rows = \"x\"\n"),
        grant("user = \"62002\"", "\"id:1\"") + "nosuch = 1\n"}) {
    const Finished failed = reload(broken + kept + added);
    EXPECT_EQ(failed.code, 1) << failed.output;
    EXPECT_THAT(failed.output, HasSubstr("are withdrawn, and added ones wait"));
    EXPECT_THAT(failed.output, HasSubstr("(grants: 1 removed)"));
    EXPECT_EQ(verdicts(), "200 forbidden forbidden") << broken;
    EXPECT_THAT(box.daemon.admin(get("/readyz")).body,
                ::testing::AllOf(HasSubstr("config_not_in_force"), Not(HasSubstr("grants_wait"))));
    ASSERT_EQ(reload(kept + gone).code, 0);
    EXPECT_EQ(verdicts(), "200 200 forbidden") << "corrected";
  }
  // The roster comes into force by itself, without a reload.
  box.daemon.extra = "[audit]\nnosuch = 1\n" + kept;
  box.daemon.write_config();
  box.daemon.write_roster(std::string(kThreeMembers) + "[[member]]\ncommunity_member_id = 5\n");
  EXPECT_TRUE(eventually(
      [&] { return box.verdict(user(62'002), "community_member_id=1") == "forbidden"; }));
  EXPECT_EQ(verdicts(), "200 forbidden forbidden");
}

// A grant is withdrawn whatever the roster is; one that came waits for a good one, since its tags
// are those of that roster.
TEST_F(Grants, P6P11ABrokenRosterKeepsNoWithdrawalBackAndLetsNothingIn) {
  GrantBox box;
  box.daemon.roster_options["watch"] = "false";
  box.daemon.extra = grant("user = \"62001\"", "\"id:1\"") + grant("user = \"62003\"", "\"id:2\"");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_EQ(box.verdict(user(62'001), "community_member_id=1"), "200");
  box.daemon.write_roster("[[member");
  box.daemon.extra += grant("user = \"62004\"", "\"id:1\"");
  box.daemon.write_config();
  EXPECT_EQ(box.daemon.cli({"reload"}).code, 1);
  EXPECT_EQ(box.verdict(user(62'004), "community_member_id=1"), "forbidden") << "a new user";

  box.daemon.extra = grant("user = \"62003\"", "\"id:2\", \"tag:support\"") +
                     grant("user = \"62004\"", "\"id:1\"");
  box.daemon.write_config();
  box.daemon.write_roster("[[member");
  const Finished reload = box.daemon.cli({"reload"});
  EXPECT_EQ(reload.code, 1) << reload.output;
  EXPECT_THAT(reload.output, HasSubstr("roster.toml"));
  EXPECT_THAT(reload.output, HasSubstr("removed grants are withdrawn"));
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=1"), "forbidden");
  EXPECT_EQ(box.verdict(user(62'004), "community_member_id=1"), "forbidden") << "a new user";
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=2"), "200") << "both give it";
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=4"), "forbidden")
      << "the old roster's tag";
  EXPECT_THAT(box.daemon.admin(get("/readyz")).body, HasSubstr("grants_wait"));

  // The new roster means somebody else by that tag.
  box.daemon.write_roster(std::string(kThreeMembers) + R"([[member]]
community_member_id = 4

[[member]]
community_member_id = 5
tags = ["support"]
)");
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=4"), "forbidden");
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=5"), "200");
  EXPECT_EQ(box.daemon.admin(get("/readyz")).status, 200);
}

// Both files change, and the roster comes into force by itself: the old grants must not meet the
// new roster's tags, which neither the old state nor the new one has together.
TEST_F(Grants, P11ARosterThatIsWatchedMeetsNoGrantThatIsGoneOnDisk) {
  GrantBox box;
  box.daemon.extra =
      grant("user = \"62003\"", "\"tag:support\"") + grant("user = \"62001\"", "\"id:1\"");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_EQ(box.verdict(user(62'003), "community_member_id=4"), "200");
  ASSERT_EQ(box.verdict(user(62'001), "community_member_id=1"), "200");

  box.daemon.extra = grant("user = \"62001\"", "\"id:1\"") + grant("user = \"62002\"", "\"id:1\"");
  box.daemon.write_config();
  box.daemon.write_roster(std::string(kThreeMembers) + R"([[member]]
community_member_id = 4
tags = ["support"]

[[member]]
community_member_id = 5
tags = ["support"]
)");
  ASSERT_TRUE(eventually([&] { return box.daemon.cli({"token", "id:5"}).code == 0; }));
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=5"), "forbidden");
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=4"), "forbidden") << "withdrawn";
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=1"), "200") << "both give it";
  EXPECT_EQ(box.verdict(user(62'002), "community_member_id=1"), "forbidden") << "not read yet";
  EXPECT_THAT(box.daemon.admin(get("/readyz")).body, HasSubstr("grants_wait"));

  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(box.verdict(user(62'002), "community_member_id=1"), "200");
  EXPECT_EQ(box.daemon.admin(get("/readyz")).status, 200);
}

TEST_F(Grants, P11OnAFullDiskNoNewGrantMeetsTheOldRoster) {
  GrantBox box;
  box.daemon.roster_options["watch"] = "false";
  box.daemon.extra = grant("user = \"62001\"", "\"id:1\"") + grant("user = \"62003\"", "\"id:2\"");
  box.daemon.write_config();
  box.daemon.launch({}, "trap '' XFSZ;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  ASSERT_EQ(box.verdict(user(62'001), "community_member_id=1"), "200");
  for (const auto* key : {"id:1", "id:4"}) {
    ASSERT_TRUE(eventually([&] { return box.daemon.cli({"token", key}).code == 0; }));
  }
  rlimit unlimited{};
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, nullptr, &unlimited), 0);
  const rlimit tight{.rlim_cur = 4'096, .rlim_max = unlimited.rlim_max};
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, &tight, nullptr), 0);

  box.daemon.extra = grant("user = \"62003\"", "\"id:2\", \"tag:support\"");
  box.daemon.write_config();
  box.daemon.write_roster(std::string(kThreeMembers) + "[[member]]\ncommunity_member_id = 4\n");
  const Finished reload = box.daemon.cli({"reload"});
  EXPECT_EQ(reload.code, 1) << reload.output;
  EXPECT_THAT(reload.output, HasSubstr("it cannot be stored yet"));
  EXPECT_EQ(box.verdict(user(62'001), "community_member_id=1"), "forbidden");
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=2"), "200");
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=4"), "forbidden");

  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, &unlimited, nullptr), 0);
  ASSERT_TRUE(
      eventually([&] { return !box.daemon.admin(get("/readyz")).body.contains("grants_wait"); }));
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=4"), "forbidden") << "its tag is gone";
}

// The grant stays; the tag moves from one member to another, and the roster cannot be stored.
TEST_F(Grants, P11OnAFullDiskATagThatMovesGrantsNothing) {
  GrantBox box;
  box.daemon.roster_options["watch"] = "false";
  box.daemon.extra = grant("user = \"62003\"", "\"tag:support\"");
  box.daemon.write_config();
  const std::string one = "[[member]]\ncommunity_member_id = 1\n";
  const std::string two = "[[member]]\ncommunity_member_id = 2\n";
  const std::string three = "[[member]]\ncommunity_member_id = 3\ntags = [\"support\"]\n";
  box.daemon.write_roster(one + "tags = [\"support\"]\n" + two + three);
  box.daemon.launch({}, "trap '' XFSZ;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  for (const auto* key : {"id:1", "id:2", "id:3"}) {
    ASSERT_TRUE(eventually([&] { return box.daemon.cli({"token", key}).code == 0; }));
  }
  ASSERT_EQ(box.verdict(user(62'003), "community_member_id=1"), "200");
  ASSERT_EQ(box.verdict(user(62'003), "community_member_id=2"), "forbidden");
  rlimit unlimited{};
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, nullptr, &unlimited), 0);
  const rlimit tight{.rlim_cur = 4'096, .rlim_max = unlimited.rlim_max};
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, &tight, nullptr), 0);

  box.daemon.write_roster(one + two + "tags = [\"support\"]\n" + three);
  const Finished reload = box.daemon.cli({"reload"});
  EXPECT_EQ(reload.code, 1) << reload.output;
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=1"), "forbidden");
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=2"), "forbidden");
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=3"), "200") << "both rosters say so";

  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, &unlimited, nullptr), 0);
  EXPECT_TRUE(
      eventually([&] { return box.verdict(user(62'003), "community_member_id=2") == "200"; }));
  EXPECT_EQ(box.verdict(user(62'003), "community_member_id=1"), "forbidden");
}

TEST_F(Grants, ANewAppTokenIsReadThoughTheRosterIsBroken) {
  GrantBox box;
  box.daemon.roster_options["watch"] = "false";
  ASSERT_TRUE(box.daemon.start());
  box.daemon.write_roster("[[member");
  const auto file = box.daemon.folder() / "credentials" / "app-token";
  std::ofstream(file) << "another-app-token\n";
  const Finished reload = box.daemon.cli({"reload"});
  EXPECT_EQ(reload.code, 1) << reload.output;
  EXPECT_THAT(reload.output, HasSubstr("app_token"));
  EXPECT_TRUE(box.daemon.comes_to_say("a new app token is in force"));
}

TEST_F(Grants, AReloadSaysWhatNeedsARestart) {
  GrantBox box;
  ASSERT_TRUE(box.daemon.start());
  EXPECT_THAT(box.daemon.cli({"reload"}).output, Not(HasSubstr("NEEDS A RESTART")));
  EXPECT_THAT(box.daemon.process().output(), Not(HasSubstr("need a restart")));
  box.daemon.rotation["refresh_ahead"] = "\"3s\"";
  box.daemon.write_config();
  const Finished reload = box.daemon.cli({"reload"});
  EXPECT_EQ(reload.code, 0);
  EXPECT_THAT(reload.output, HasSubstr("NEEDS A RESTART: the changes in [rotation]"));
  EXPECT_TRUE(box.daemon.comes_to_say("need a restart: [rotation]"));

  box.daemon.rotation["refresh_ahead"] = "\"4s\"";
  box.daemon.upstream["max_in_flight"] = "3";
  box.daemon.roster_options["max_retire_count"] = "7";
  box.daemon.write_config();
  EXPECT_THAT(box.daemon.cli({"reload"}).output,
              HasSubstr("NEEDS A RESTART: the changes in [upstream], [roster] of"));
}

}  // namespace
}  // namespace rota::e2e
