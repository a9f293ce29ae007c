#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "e2e/box.h"

// A roster that retires many at once waits for an operator (P6).

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kMembers = 8;
constexpr const char* kStranger = "0123456789abcdef";  // the id of no plan

std::string entries(int first, int last, std::string_view more = "") {
  std::string text;
  for (int id = first; id <= last; ++id) {
    text += fmt::format("[[member]]\ncommunity_member_id = {}\n{}", id, more);
  }
  return text;
}

class Guard : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int id = 6; id <= kMembers; ++id) {
      box.sandbox.control(post("/_sandbox/members", fmt::format(R"({{"id":{}}})", id)));
    }
    daemon.roster_options = {{"max_retire_count", "2"}, {"max_retire_fraction", "0.1"}};
    daemon.write_roster(entries(1, 6));
  }
  void start() {
    ASSERT_TRUE(daemon.start());
    for (int id = 1; id <= 6; ++id) ASSERT_TRUE(serves(id)) << id;
  }
  // Leaves 1 alone, changes it, adds 7, and would retire 2 to 6. The id of the plan that is held.
  std::string gut() {
    daemon.write_roster(entries(1, 1, "tags = [\"changed\"]\n") + entries(7, 7));
    EXPECT_TRUE(eventually([&] { return !held().empty(); }));
    return held();
  }

  bool serves(int id) {
    return eventually(
        [&] { return !daemon.token(fmt::format("community_member_id={}", id)).empty(); });
  }
  int status_of(int id) { return daemon.fetch(fmt::format("community_member_id={}", id)).status; }
  std::string held() {
    const auto status = daemon.admin(get("/v1/status")).json();
    const auto& plan = status.at("roster_plan_held");
    return plan.is_object() ? std::string(plan.as_object().at("id").as_string()) : std::string{};
  }
  void expect_only_additions_and_changes() {
    for (int id = 1; id <= 7; ++id) EXPECT_TRUE(serves(id)) << id;
    EXPECT_EQ(boost::json::serialize(daemon.member("id:1").at("tags")), R"(["changed"])");
    for (int id = 2; id <= 6; ++id) {
      EXPECT_EQ(daemon.member(fmt::format("id:{}", id)).at("state").as_string(), "active");
    }
    const auto revocations = box.sandbox.stats().at("calls").as_object();
    EXPECT_FALSE(revocations.contains("revoke_refresh") &&
                 !revocations.at("revoke_refresh").as_object().empty());
  }
  int says(std::string_view text) {
    const std::string log = daemon.process().output();
    int count = 0;
    for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
    return count;
  }

  Box box{{"--access-ttl", "120s", "--refresh-ttl", "10m"}};
  Daemon& daemon = box.daemon;
};

TEST_F(Guard, P6HoldsTheRetirementsAndAppliesTheRest) {
  start();
  const std::string id = gut();
  expect_only_additions_and_changes();
  EXPECT_THAT(daemon.cli({"status"}).output, HasSubstr(id));
  const Finished plan = daemon.cli({"plan"});
  EXPECT_EQ(plan.code, 0);
  EXPECT_THAT(plan.output, HasSubstr("HOLDS"));
  EXPECT_THAT(plan.output, HasSubstr("rota approve " + id));
  EXPECT_THAT(plan.output, HasSubstr("  retire      5  id:2\n"));
  for (int member = 3; member <= 6; ++member) {
    EXPECT_THAT(plan.output, HasSubstr(fmt::format("                 id:{}\n", member)));
  }
  EXPECT_THAT(plan.output, Not(HasSubstr("id:1\n")));
  // The same again is nothing new.
  EXPECT_EQ(daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(held(), id);
  EXPECT_TRUE(daemon.comes_to_say("plan_held"));
  EXPECT_EQ(says("plan_held"), 1) << "one line: " << daemon.process().output();
  expect_only_additions_and_changes();
}

TEST_F(Guard, P6HoldsOverAKillUnderTheSameId) {
  start();
  const std::string id = gut();
  for (int life = 0; life < 2; ++life) {
    daemon.kill9();
    ASSERT_TRUE(daemon.start());
    EXPECT_EQ(held(), id);
    EXPECT_THAT(daemon.notices(), HasSubstr(id)) << "READY says so";
    EXPECT_TRUE(daemon.comes_to_say("plan_held"));
    EXPECT_EQ(says("plan_held"), 1);
    expect_only_additions_and_changes();
  }
  EXPECT_EQ(daemon.cli({"approve", id}).code, 0);
  for (int member = 2; member <= 6; ++member) EXPECT_EQ(status_of(member), 410) << member;
  // Approved is approved: a kill right afterwards takes nothing back.
  daemon.kill9();
  ASSERT_TRUE(daemon.start());
  EXPECT_EQ(held(), "");
  for (int member = 2; member <= 6; ++member) EXPECT_EQ(status_of(member), 410) << member;
}

TEST_F(Guard, P6AStartWithAGuttedRosterIsHeldAgainstTheLastOneOnRecord) {
  start();
  EXPECT_EQ(daemon.stop(), 0);
  daemon.write_roster(entries(1, 1, "tags = [\"changed\"]\n") + entries(7, 7));
  const Finished check =
      daemon.daemon_command({"--check", "--config", daemon.config_path().string()});
  EXPECT_THAT(check.output, HasSubstr("would be held until `rota approve"));
  ASSERT_TRUE(daemon.start());
  EXPECT_NE(held(), "");
  EXPECT_THAT(check.output, HasSubstr(held())) << "the same plan, before and after";
  expect_only_additions_and_changes();
}

TEST_F(Guard, P6ApprovingRetiresExactlyThose) {
  start();
  const std::string id = gut();
  const Finished approve = daemon.cli({"approve", id});
  EXPECT_EQ(approve.code, 0) << approve.output;
  EXPECT_EQ(held(), "");
  for (int member = 2; member <= 6; ++member) {
    EXPECT_EQ(status_of(member), 410) << member;
    EXPECT_TRUE(eventually([&] { return box.sandbox.tokens(member, "", "live").empty(); }))
        << member;
  }
  EXPECT_EQ(status_of(1), 200);
  EXPECT_TRUE(serves(7));
  EXPECT_THAT(daemon.cli({"plan"}).output, HasSubstr("no member changes"));
  // Used up: it lets nothing through a second time.
  EXPECT_NE(daemon.cli({"approve", id}).code, 0);
}

TEST_F(Guard, ThePlanIsOfTheRosterOnDisk) {
  daemon.roster_options["watch"] = "false";
  start();
  EXPECT_THAT(daemon.cli({"plan"}).output, HasSubstr("no member changes"));
  daemon.write_roster(entries(1, 7));
  const Finished plan = daemon.cli({"plan"});
  EXPECT_EQ(plan.code, 0);
  EXPECT_THAT(plan.output, HasSubstr("  add         1  id:7\n"));
  EXPECT_THAT(plan.output, Not(HasSubstr("HOLDS")));
  EXPECT_NE(status_of(7), 200) << "it is a look, not a reload";
  daemon.write_roster("[[member]]\nid = 1\n");
  const Finished broken = daemon.cli({"plan"});
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.output, HasSubstr("roster.toml:2"));
}

// What `rota plan FILE` finds out from the daemon's list of members is what the daemon says once
// the file is in place: the same members, the same verdict, the same id.
TEST_F(Guard, ThePlanOfAFileIsTheOneThatItGetsInPlace) {
  daemon.roster_options["watch"] = "false";
  start();
  ASSERT_EQ(daemon.cli({"enrol", "id:8"}).code, 0);
  const std::string config = daemon.config_path().string();
  const auto draft = (box.folder / "draft.toml").string();
  for (const std::string& text :
       {entries(1, 6), entries(1, 5) + entries(6, 6, "retired = true\n"),
        entries(1, 1, "name = \"Ada\"\ntags = [\"x\"]\n") + entries(7, 8), entries(2, 8),
        entries(1, 6) + "[[member]]\nemail = \"member1@example.com\"\nretired = true\n"}) {
    std::ofstream(draft) << text;
    const Finished before = daemon.cli({"plan", draft, "--config", config, "--json"});
    ASSERT_EQ(before.code, 0) << before.output;
    daemon.write_roster(text);
    EXPECT_EQ(before.output, daemon.cli({"plan", "--json"}).output) << text;
  }
  const Finished shown = daemon.cli({"plan", draft, "--config", config});
  EXPECT_THAT(shown.output, HasSubstr("draft.toml in place of " + daemon.roster_path().string()));
  daemon.kill9();
  const Finished alone = daemon.cli({"plan", "--config", config});
  EXPECT_EQ(alone.code, 4);
  EXPECT_THAT(alone.output, HasSubstr("good: 7 entries, 1 of them retired"));
  EXPECT_THAT(alone.output, HasSubstr("NOT KNOWN"));
}

TEST_F(Guard, P6AWrongApprovalChangesNothingAndNamesThePlanThatIsHeld) {
  start();
  const std::string id = gut();
  const Finished wrong = daemon.cli({"approve", kStranger});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.output, HasSubstr(kStranger));
  EXPECT_THAT(wrong.output, HasSubstr(id));
  EXPECT_EQ(held(), id);
  EXPECT_EQ(daemon.admin(post(fmt::format("/v1/roster/reload?approve={}", kStranger))).status, 409);
  expect_only_additions_and_changes();
}

TEST_F(Guard, P6AnApprovalThatTheRosterHasOvertakenChangesNothing) {
  daemon.roster_options["watch"] = "false";
  start();
  daemon.write_roster(entries(1, 1, "tags = [\"changed\"]\n") + entries(7, 7));
  EXPECT_EQ(daemon.cli({"reload"}).code, 0);
  const std::string seen = held();
  // One more would go now, and 8 would come: the operator has seen neither.
  daemon.write_roster(entries(7, 8));
  const Finished stale = daemon.cli({"approve", seen});
  EXPECT_EQ(stale.code, 1);
  EXPECT_THAT(stale.output, HasSubstr(seen));
  EXPECT_EQ(status_of(8), 404) << "not half of it";
  expect_only_additions_and_changes();
  EXPECT_EQ(held(), seen);

  EXPECT_EQ(daemon.cli({"reload"}).code, 0);
  const std::string now = held();
  EXPECT_NE(now, seen);
  EXPECT_THAT(stale.output, HasSubstr(now)) << "it named the plan of the roster on disk";
  EXPECT_EQ(daemon.cli({"approve", seen}).code, 1);
  EXPECT_EQ(status_of(1), 200);
  EXPECT_EQ(daemon.cli({"approve", now}).code, 0);
  EXPECT_EQ(status_of(1), 410);
  EXPECT_EQ(status_of(6), 410);
}

TEST_F(Guard, P6AnApprovalOfARosterThatWasMendedIsAnError) {
  start();
  const std::string id = gut();
  daemon.write_roster(entries(1, 6));
  ASSERT_TRUE(eventually([&] { return held().empty(); }));
  const Finished late = daemon.cli({"approve", id});
  EXPECT_EQ(late.code, 1);
  EXPECT_THAT(late.output, HasSubstr("needs no approval"));
  for (int member = 1; member <= 6; ++member) EXPECT_EQ(status_of(member), 200) << member;
}

TEST_F(Guard, P6AnApprovalOfABrokenRosterIsAnError) {
  start();
  const std::string id = gut();
  daemon.write_roster("[[member");
  const Finished broken = daemon.cli({"approve", id});
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.output, HasSubstr("roster.toml"));
  EXPECT_EQ(held(), id) << "the last good roster asked for it";
  for (int member = 1; member <= 6; ++member) EXPECT_EQ(status_of(member), 200) << member;
}

}  // namespace
}  // namespace rota::e2e
