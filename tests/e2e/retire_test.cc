#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "e2e/box.h"

// Leavers: from the commit on nothing is served, and what they hold is revoked (P4); rosters that
// must not be followed (P6).

namespace rota::e2e {
namespace {

constexpr std::string_view kWithoutOne = R"([[member]]
email = "member2@example.com"

[[member]]
sso_user_id = "sso|3"
)";
constexpr std::string_view kOneRetired = R"([[member]]
community_member_id = 1
retired = true

[[member]]
email = "member2@example.com"

[[member]]
sso_user_id = "sso|3"
)";

bool has_token(const Box& box) { return !box.daemon.token("community_member_id=1").empty(); }

bool all_dead(const Box& box) { return box.sandbox.tokens(1, "", "live").empty(); }

struct Way {
  const char* name;
  bool watch;
  std::string_view roster;
  void (*tell)(Box&);
};

class Retire : public ::testing::TestWithParam<Way> {};

TEST_P(Retire, P4ServesNothingMoreAndRevokesAllThatIsAlive) {
  Box box({"--access-ttl", "8s", "--refresh-ttl", "10m", "--log"});
  if (!GetParam().watch) box.daemon.roster_options = {{"watch", "false"}};
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  const std::string first = box.daemon.token("community_member_id=1");
  // A superseded token that is still alive is a leaver's token, too.
  ASSERT_TRUE(eventually([&] { return box.daemon.token("community_member_id=1") != first; }));

  box.daemon.write_roster(GetParam().roster);
  GetParam().tell(box);
  ASSERT_TRUE(eventually([&] { return box.daemon.fetch("community_member_id=1").status == 410; }));
  ASSERT_TRUE(eventually([&] { return box.daemon.member("id:1")["state"] == "retired"; }));
  EXPECT_TRUE(all_dead(box));
  EXPECT_EQ(box.sandbox.stats().at("calls").at("revoke_refresh").at("204").as_int64(), 1);
  EXPECT_GE(box.sandbox.stats().at("calls").at("revoke_access").at("204").as_int64(), 1);
  const std::string log = box.sandbox.process().output();
  EXPECT_LT(log.find("/refresh_token/revoke"), log.find("/access_token/revoke"))
      << "the refresh token first: others can be made from it";
  EXPECT_EQ(box.daemon.fetch("community_member_id=2").status, 200);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, Retire,
    ::testing::Values(Way{"FlagAndSighup", false, kOneRetired,
                          [](Box& box) { box.daemon.process().signal(SIGHUP); }},
                      Way{"RemovalAndReload", false, kWithoutOne,
                          [](Box& box) { EXPECT_EQ(box.daemon.cli({"reload"}).code, 0); }},
                      Way{"RemovalSeenByTheWatch", true, kWithoutOne, [](Box&) {}}),
    [](const auto& way) { return way.param.name; });

TEST(Retirement, P4P5GoesOnAfterAKillUntilCircleAcknowledges) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  box.sandbox.faults(R"(["revoke_refresh:html502:1","revoke_access:status_unauthorized:1"])");
  box.daemon.write_roster(kWithoutOne);
  ASSERT_TRUE(eventually([&] { return box.daemon.fetch("community_member_id=1").status == 410; }));
  ASSERT_TRUE(eventually([&] {
    return box.sandbox.stats().at("calls").at("revoke_access").as_object().contains("200");
  }));
  EXPECT_FALSE(all_dead(box)) << "a 200 without Circle's words acknowledges nothing";

  box.daemon.kill9();
  ASSERT_TRUE(box.daemon.start());
  EXPECT_EQ(box.daemon.fetch("community_member_id=1").status, 410);
  box.sandbox.faults("[]");
  EXPECT_TRUE(eventually([&] { return all_dead(box); }));
}

// People are removed at Circle first and from the roster a little later.
TEST(Retirement, P8MembersThatCircleRemovedFirstAreSettledAndDelayNobody) {
  Box box({"--access-ttl", "10m", "--refresh-ttl", "1h"});
  std::string roster(kThreeMembers);
  for (int id = 4; id <= 5; ++id) {
    roster += fmt::format("\n[[member]]\ncommunity_member_id = {}\n", id);
  }
  box.daemon.write_roster(roster);
  ASSERT_TRUE(box.daemon.start());
  const std::vector<std::string> leavers{"id:1", "sso:sso|3", "id:4", "id:5"};
  ASSERT_TRUE(eventually([&] {
    return std::ranges::all_of(leavers, [&](const std::string& key) {
      return box.daemon.member(key).at("access_token_expires_at").is_string();
    });
  }));
  for (const int id : {1, 3, 4, 5}) {
    EXPECT_EQ(
        box.sandbox
            .control(fmt::format("DELETE /_sandbox/members/{} HTTP/1.1\r\nHost: x\r\n\r\n", id))
            .status,
        200);
  }
  box.daemon.write_roster("[[member]]\nemail = \"member2@example.com\"\n");
  const auto before = std::chrono::steady_clock::now();
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  ASSERT_TRUE(eventually([&] {
    return std::ranges::all_of(leavers, [&](const std::string& key) {
      return box.daemon.member(key).at("state") == "retired";
    });
  }));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{30})
      << "a backoff would take minutes";
  for (const std::string& key : leavers) {
    EXPECT_EQ(box.daemon.member(key).at("member_gone"), 1) << key;
    EXPECT_EQ(box.daemon.member(key).at("revoking"), 0) << key;
  }
  const Reply metrics = box.daemon.admin(get("/metrics"));
  EXPECT_THAT(metrics.body, ::testing::HasSubstr("rota_upstream_breaker{state=\"closed\"} 1"));
  EXPECT_EQ(box.daemon.process().output().find("one probe at a time"), std::string::npos);
}

TEST(Retirement, P4RevokeAllEndsOnceNothingIsAlive) {
  Box box({"--latency", "20ms"});
  ASSERT_TRUE(box.daemon.start());
  const std::vector<std::string> names{"community_member_id=1", "email=member2@example.com",
                                       "sso_user_id=sso|3"};
  for (const std::string& name : names) {
    ASSERT_TRUE(eventually([&] { return !box.daemon.token(name).empty(); })) << name;
  }
  EXPECT_EQ(box.daemon.cli({"revoke-all"}).code, 2) << "there is nobody to ask";
  EXPECT_FALSE(box.daemon.token(names[0]).empty());
  const Finished done = box.daemon.cli({"revoke-all", "--yes"});
  EXPECT_EQ(done.code, 0) << done.output;
  for (int member = 1; member <= 3; ++member) {
    EXPECT_THAT(box.sandbox.tokens(member, "", "live"), ::testing::IsEmpty()) << member;
  }
  for (const std::string& name : names) EXPECT_EQ(box.daemon.fetch(name).status, 410) << name;
}

TEST(Retirement, TheRevokeScriptTellsWhatCircleAcknowledged) {
  Box box({"--access-ttl", "60s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  const std::string script = std::string(SCRIPTS) + "/revoke-member";
  const std::map<std::string, std::string> environment{
      {"ROTA_ADMIN_SOCKET", box.daemon.admin_socket().string()},
      {"PATH", std::filesystem::path(ROTA_CLI).parent_path().string() + ":/usr/bin:/bin"}};
  const auto revoke = [&](const std::string& key) {
    return run({script, key}, box.folder.path(), environment);
  };
  const Finished done = revoke("id:1");
  EXPECT_EQ(done.code, 0) << done.output;
  EXPECT_THAT(done.output, ::testing::ContainsRegex("refresh.*revoked"));
  EXPECT_THAT(done.output, ::testing::ContainsRegex("access.*revoked"));
  EXPECT_TRUE(all_dead(box));
  EXPECT_EQ(box.daemon.fetch("community_member_id=1").text("code"), "member_blocked");

  EXPECT_NE(revoke("id:99").code, 0);
  EXPECT_NE(revoke("nonsense").code, 0);
  // Blocked, whatever the roster says, until an operator lets it in.
  EXPECT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(box.daemon.fetch("community_member_id=1").status, 410);
  EXPECT_EQ(box.daemon.cli({"reinstate", "id:1"}).code, 0);
  EXPECT_TRUE(eventually([&] { return has_token(box); }));
}

TEST(Retirement, TheRevokeScriptFailsWhileATokenLives) {
  Box box({"--access-ttl", "6s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  box.sandbox.faults(R"(["revoke_refresh:html502:1"])");
  // It gives up waiting for Circle after half a minute, and says what is still alive.
  const Finished report =
      run({std::string(SCRIPTS) + "/revoke-member", "id:1"}, box.folder.path(),
          {{"ROTA_ADMIN_SOCKET", box.daemon.admin_socket().string()},
           {"PATH", std::filesystem::path(ROTA_CLI).parent_path().string() + ":/usr/bin:/bin"}},
          2 * kLimit);
  EXPECT_EQ(report.code, 1) << report.output;
  EXPECT_THAT(report.output, ::testing::ContainsRegex("refresh.*alive"));
}

TEST(Roster, P6ABrokenOneChangesNothingWhileThereIsAGoodOneOnRecord) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  for (const char* broken : {"", "[[member]]\ncommunity_member_id = \"1\"\n", "[[member"}) {
    box.daemon.write_roster(broken);
    const Finished reload = box.daemon.cli({"reload"});
    EXPECT_NE(reload.code, 0);
    EXPECT_THAT(reload.output, ::testing::HasSubstr("roster.toml"));
    EXPECT_TRUE(has_token(box));
  }
  EXPECT_EQ(box.daemon.stop(), 0);
  ASSERT_TRUE(box.daemon.start()) << "a start goes on with the last good one, too";
  EXPECT_TRUE(has_token(box));
  EXPECT_TRUE(box.daemon.comes_to_say("last good roster"));
  std::filesystem::remove(box.daemon.roster_path());
  EXPECT_NE(box.daemon.cli({"reload"}).code, 0);
  EXPECT_TRUE(has_token(box));
}

TEST(Roster, P6AMassRetirementIsHeldUntilItIsApproved) {
  Box box;
  box.daemon.roster_options = {{"max_retire_count", "1"}, {"watch", "false"}};
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  box.daemon.write_roster("[[member]]\ncommunity_member_id = 4\n");
  EXPECT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_TRUE(has_token(box));
  EXPECT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=4").empty(); }))
      << "additions are applied";
  const auto plan = box.daemon.admin(get("/v1/roster/plan")).json();
  EXPECT_EQ(plan.at("held"), boost::json::value(true));
  EXPECT_EQ(plan.at("retire").as_array().size(), 3U);

  EXPECT_NE(box.daemon.cli({"approve", "0000000000000000"}).code, 0);
  EXPECT_TRUE(has_token(box));
  EXPECT_EQ(box.daemon.cli({"approve", std::string(plan.at("id").as_string())}).code, 0);
  EXPECT_EQ(box.daemon.fetch("community_member_id=1").status, 410);
  EXPECT_TRUE(eventually([&] { return all_dead(box); }));
}

}  // namespace
}  // namespace rota::e2e
