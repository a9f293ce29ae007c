#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "e2e/box.h"

// A Circle that fails, throttles and refuses.

namespace rota::e2e {
namespace {

TEST(Weather, P1P5FaultsCostNoClientADeadOrForeignToken) {
  Box box({"--access-ttl", "6s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  box.sandbox.faults(
      R"(["any:html502:0.1","any:truncated:0.1","any:drop_after:0.1","any:drop_before:0.05",)"
      R"("any:status_unauthorized:0.05","refresh:unauthorized_other:0.05","any:chunked:0.1",)"
      R"("any:no_content_type:0.1","any:no_millis:0.1","any:json500:0.03","any:no_token:0.03",)"
      R"("any:redirect:0.03","any:huge:0.02","any:hang_after:0.02"])");
  std::size_t served = 0;
  EXPECT_TRUE(eventually([&] {
    for (int member = 1; member <= 3; ++member) {
      const Reply reply = box.daemon.fetch(fmt::format("community_member_id={}&wait=1s", member));
      if (reply.status != 200) continue;
      ++served;
      EXPECT_EQ(reply.json().at("community_member_id").as_int64(), member);
      EXPECT_EQ(box.sandbox.state_of(reply.text("access_token")), "live");
    }
    return box.sandbox.calls() > 25 || ::testing::Test::HasFailure();
  }));
  EXPECT_GT(served, 20U);
  box.sandbox.faults("[]");
  for (const char* query :
       {"community_member_id=1", "email=member2@example.com", "sso_user_id=sso%7C3"}) {
    EXPECT_TRUE(eventually([&] { return box.daemon.fetch(query).status == 200; })) << query;
  }
  const auto stats = box.sandbox.stats();
  EXPECT_EQ(stats.at("violations").at("total").as_int64(), 0);
  EXPECT_EQ(stats.at("in_flight").at("overlaps").as_int64(), 0);
}

TEST(Weather, P8ARefusedAppTokenIsOneAlarmAndANewOneHealsIt) {
  Box box;
  box.sandbox.control(post("/_sandbox/app-token", R"({"app_token":"the-new-one"})"));
  ASSERT_TRUE(box.daemon.start());
  const auto breaker = [&] {
    const auto status = box.daemon.admin(get("/v1/status")).json();
    return std::string(status.at("upstream").at("breaker").as_string());
  };
  ASSERT_TRUE(eventually([&] { return breaker() == "app_token_refused"; }));
  const Reply refused = box.daemon.fetch("community_member_id=1&wait=20s");
  EXPECT_EQ(refused.text("code"), "token_unavailable");
  EXPECT_LE(box.sandbox.calls(), 8) << "one probe at a time";

  const auto path = box.daemon.folder() / "credentials" / "app-token";
  std::ofstream(path) << "the-new-one\n";
  // No probe could tell: the new token by itself is the reason.
  box.sandbox.process().signal(SIGSTOP);
  EXPECT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(breaker(), "closed");
  box.sandbox.process().signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return box.daemon.fetch("community_member_id=1").status == 200; }));
  EXPECT_EQ(breaker(), "closed");
}

TEST(Weather, P7A429PausesEverybody) {
  Box box({"--access-ttl", "60s", "--refresh-ttl", "10m", "--retry-after", "seconds"});
  box.sandbox.faults(R"(["any:throttle:1"])");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] {
    const auto status = box.daemon.admin(get("/v1/status")).json();
    return status.at("upstream").at("paused_ms").as_int64() > 0;
  }));
  EXPECT_LE(box.sandbox.calls(), 6) << "three that were under way, and what one pause lets through";
  box.sandbox.faults("[]");
  EXPECT_TRUE(eventually([&] { return box.daemon.fetch("community_member_id=1").status == 200; }));
  EXPECT_EQ(box.sandbox.stats().at("violations").at("total").as_int64(), 0);
}

// A server that is overloaded and says for how long: as a 429, for everybody.
TEST(Weather, P7A503WithRetryAfterPausesEverybody) {
  Box box({"--access-ttl", "60s", "--refresh-ttl", "10m"});
  box.sandbox.faults(R"(["any:unavailable:1"])");
  ASSERT_TRUE(box.daemon.start());
  const auto upstream = [&] {
    return box.daemon.admin(get("/v1/status")).json().at("upstream").as_object();
  };
  ASSERT_TRUE(eventually([&] { return upstream().at("paused_ms").as_int64() > 0; }));
  EXPECT_LE(box.sandbox.calls(), 6) << "three that were under way, and what one pause lets through";
  EXPECT_TRUE(box.daemon.comes_to_say("Circle's server asks for a pause: no call for"));
  // It is well again, and nobody asks before the time that it named is over.
  box.sandbox.faults("[]");
  const std::int64_t calls = box.sandbox.calls();
  for (const char* query : {"community_member_id=1&wait=0", "community_member_id=1&wait=2s"}) {
    const Reply reply = box.daemon.fetch(query);
    EXPECT_EQ(reply.text("code"), "token_unavailable");
    EXPECT_THAT(reply.head, ::testing::ContainsRegex("Retry-After: [1-9]"));
  }
  EXPECT_EQ(box.sandbox.calls(), calls);
  EXPECT_GT(upstream().at("paused_ms").as_int64(), 0);
}

TEST(Weather, P8ACommunityThatIsNotEligibleIsProbedAndComesBack) {
  Box box;
  box.sandbox.control(post("/_sandbox/eligible", R"({"eligible":false})"));
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] {
    return box.daemon.admin(get("/v1/status")).body.find("not_eligible") != std::string::npos;
  }));
  EXPECT_LE(box.sandbox.calls(), 8) << "one probe at a time";
  box.sandbox.control(post("/_sandbox/eligible", R"({"eligible":true})"));
  EXPECT_TRUE(eventually([&] { return box.daemon.fetch("community_member_id=1").status == 200; }));
}

TEST(Weather, P7ABudgetHoldsOverAKill) {
  Box box({"--access-ttl", "6s", "--refresh-ttl", "10m", "--rate-window", "20s"});
  box.daemon.upstream["requests_per_window"] = "10";
  box.daemon.upstream["window"] = "\"20s\"";
  for (int life = 0; life < 3; ++life) {
    ASSERT_TRUE(box.daemon.start());
    const auto before = box.sandbox.calls();
    // More than two at once are those that somebody waits for.
    for (int fetch = 0; fetch < 3; ++fetch) {
      box.daemon.fetch(fmt::format("community_member_id={}&min_ttl=1h&wait=1", fetch + 1));
    }
    eventually([&] { return box.sandbox.calls() > before + 3; }, Seconds{5});
    box.daemon.kill9();
  }
  EXPECT_LE(box.sandbox.stats().at("rate").at("peak").as_int64(), 10);
  EXPECT_GE(box.sandbox.calls(), 6);
}

}  // namespace
}  // namespace rota::e2e
