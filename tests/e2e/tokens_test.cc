#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/fingerprint.h"
#include "e2e/box.h"

// From the roster to the token on the socket, and its rotation.

namespace rota::e2e {
namespace {

constexpr auto kWhose = std::to_array<std::pair<const char*, int>>({
    {"community_member_id=1", 1},
    {"email=member2@example.com", 2},
    {"sso_user_id=sso%7C3", 3},
    {"community_member_id=2", 2},  // known from its first issue on
    {"community_member_id=3", 3},
});

TEST(Tokens, EachSelectorGetsItsOwnMembersLivingToken) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  for (const auto& [query, member] : kWhose) {
    ASSERT_TRUE(eventually([&] { return box.daemon.fetch(query).status == 200; })) << query;
    const Reply reply = box.daemon.fetch(query);
    const auto json = reply.json();
    EXPECT_EQ(json.size(), 4U) << reply.body;
    EXPECT_EQ(json.at("community_member_id").as_int64(), member) << query;
    EXPECT_EQ(json.at("community_id").as_int64(), 1);
    const std::string token = reply.text("access_token");
    EXPECT_EQ(box.sandbox.state_of(token), "live");
    EXPECT_THAT(box.sandbox.tokens(member, "access", "live"), ::testing::Contains(token));
    EXPECT_THAT(reply.head,
                ::testing::ContainsRegex(
                    "Cache-Control: no-store\r\nDate: [^\r]+ GMT\r\nRota-Expires-In: [0-9]+\r\n"));
  }
  EXPECT_EQ(box.sandbox.stats().at("violations").at("total").as_int64(), 0);
}

TEST(Tokens, P1P9RotateByTheTimerAndNoFetchEverGetsADeadOne) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  std::set<std::string> seen;
  std::size_t fetched = 0;
  const bool rotated = eventually([&] {
    const std::string token = box.daemon.token("community_member_id=1");
    if (token.empty()) return fetched == 0 ? false : (ADD_FAILURE() << "a gap", true);
    ++fetched;
    seen.insert(token);
    EXPECT_EQ(box.sandbox.state_of(token), "live");
    return seen.size() >= 4 || ::testing::Test::HasFailure();
  });
  EXPECT_TRUE(rotated) << seen.size() << " generations";
  const auto stats = box.sandbox.stats();
  EXPECT_EQ(stats.at("in_flight").at("overlaps").as_int64(), 0);
  EXPECT_EQ(stats.at("violations").at("total").as_int64(), 0);
  EXPECT_EQ(stats.at("calls").at("issue").at("200").as_int64(), 3) << "refreshed, not issued anew";
}

TEST(Tokens, APairIsRenewedBeforeItsRefreshTokenEnds) {
  Box box({"--access-ttl", "30s", "--refresh-ttl", "8s", "--issue-mode", "new"});
  box.daemon.rotation["renew_pair_ahead"] = "\"5s\"";
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  const auto first = box.sandbox.tokens(1, "refresh", "live");
  ASSERT_EQ(first.size(), 1U);
  ASSERT_TRUE(eventually([&] {
    const auto live = box.sandbox.tokens(1, "refresh", "live");
    return live.size() == 1 && live != first;
  })) << "the old one is revoked once there is another";
  EXPECT_EQ(box.sandbox.state_of(first.front()), "revoked");
}

TEST(Tokens, P9AnyNumberOfWaitingClientsMakeOneRefresh) {
  Box box({"--access-ttl", "60s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  const std::string before = box.daemon.token("community_member_id=1");
  EXPECT_EQ(box.sandbox.control(post("/_sandbox/options", R"({"latency":"300ms"})")).status, 200);
  const std::string refused = format_fingerprint(fingerprint_of(before));

  constexpr std::size_t kClients = 50;
  std::vector<Connection> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(Connection::to_unix(box.daemon.token_socket()));
    clients.back().send(get("/v1/token?community_member_id=1&wait=30s&refused=" + refused));
  }
  std::set<std::string> answers;
  for (Connection& client : clients) answers.insert(client.read_reply().text("access_token"));
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_FALSE(answers.contains(before));
  EXPECT_FALSE(answers.contains(""));
  const auto calls = box.sandbox.stats().at("calls").as_object();
  EXPECT_EQ(calls.at("refresh").at("200").as_int64(), 1);
  EXPECT_EQ(box.sandbox.stats().at("in_flight").at("overlaps").as_int64(), 0);
}

TEST(Tokens, AnswersTheErrorTable) {
  Box box;
  box.sandbox.control(post("/_sandbox/members", R"({"id":9})"));
  box.daemon.write_roster(std::string(kThreeMembers) +
                          "[[member]]\ncommunity_member_id = 4\nretired = true\n"
                          "[[member]]\ncommunity_member_id = 77\n");
  ASSERT_TRUE(box.daemon.start());
  struct Row {
    const char* request;
    int status;
    const char* code;
  };
  const std::string refused_method = post("/v1/token?community_member_id=1");
  for (const auto& [request, status, code] : {
           Row{"/v1/token", 400, "bad_request"},
           Row{"/v1/token?community_member_id=1&email=a@b.c", 400, "bad_request"},
           Row{"/v1/token?community_member_id=0", 400, "bad_request"},
           Row{"/v1/token?community_member_id=1&min_ttl=soon", 400, "bad_request"},
           Row{"/v1/token?community_member_id=1&nonsense=1", 400, "bad_request"},
           Row{"/v1/token?community_member_id=9", 404, "member_unknown"},
           Row{"/v1/token?community_member_id=4", 410, "member_retired"},
           Row{"/v1/tokens", 404, "not_found"},
       }) {
    Connection connection = Connection::to_unix(box.daemon.token_socket());
    connection.send(get(request));
    const Reply reply = connection.read_reply();
    EXPECT_EQ(reply.status, status) << request;
    EXPECT_EQ(reply.text("code"), code) << request;
    EXPECT_EQ(reply.json()["success"], boost::json::value(false)) << reply.body;
  }
  // Circle has no such member: known after the first call.
  ASSERT_TRUE(eventually(
      [&] { return box.daemon.fetch("community_member_id=77").text("code") == "member_unknown"; }));
  Connection connection = Connection::to_unix(box.daemon.token_socket());
  connection.send(refused_method);
  EXPECT_EQ(connection.read_reply().text("code"), "method_not_allowed");
}

TEST(Tokens, WithoutOneTheClientWaitsAsLongAsItSaid) {
  Box box;
  box.sandbox.faults(R"(["issue:hang:1"])");
  ASSERT_TRUE(box.daemon.start());
  for (const char* query : {"community_member_id=1&wait=0", "community_member_id=1&wait=1s",
                            "community_member_id=1&wait=1&min_ttl=2&strict=true"}) {
    const Reply reply = box.daemon.fetch(query);
    EXPECT_EQ(reply.status, 503) << query;
    EXPECT_EQ(reply.text("code"), "token_unavailable");
    EXPECT_THAT(reply.head, ::testing::ContainsRegex("Retry-After: [1-9]"));
  }
  box.sandbox.faults("[]");
  // The hanging call ends at request_timeout, and whoever waits gets the token of the next one.
  EXPECT_EQ(box.daemon.fetch("community_member_id=1&wait=30s").status, 200);
}

// No token of the sandbox here has more than eight seconds.
TEST(Tokens, StrictIsRefusedAtOnceWhereNoTokenCanHaveWhatItAsks) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  const Reply reply = box.daemon.fetch("community_member_id=1&strict=true&min_ttl=1h&wait=0");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.text("code"), "token_unavailable");
  // Of the 8 seconds that a token lives; how many are left of them the machine's pace decides.
  EXPECT_THAT(reply.text("message"), ::testing::ContainsRegex("it can be at most [1-7]s"));
  EXPECT_EQ(box.daemon.fetch("community_member_id=1&min_ttl=1h&wait=0").status, 200);
}

// Nobody knows whether the case of an address counts at Circle.
class Spelling : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(EmailCase, Spelling, ::testing::Values("exact", "ignored"),
                         [](const auto& mode) { return std::string(mode.param); });

TEST_P(Spelling, ANameMayBeWrittenAsClientsWriteIt) {
  Box box({"--access-ttl", "8s", "--refresh-ttl", "10m", "--email-case", GetParam()});
  box.daemon.write_roster(std::string(kThreeMembers) +
                          "[[member]]\nsso_user_id = \"Ada Byron\"\nretired = true\n"
                          "[[member]]\nemail = \"Ada+x@Example.com\"\nretired = true\n");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("email=Member2@EXAMPLE.com").empty(); }));
  EXPECT_EQ(box.daemon.fetch("sso_user_id=Ada+Byron").text("code"), "member_retired");
  EXPECT_EQ(box.daemon.fetch("sso_user_id=Ada%20Byron").text("code"), "member_retired");
  EXPECT_EQ(box.daemon.fetch("sso_user_id=Ada%2BByron").text("code"), "member_unknown");
  EXPECT_EQ(box.daemon.fetch("email=ada+x@example.com").text("code"), "member_retired");
  EXPECT_EQ(box.daemon.fetch("email=ada%20x@example.com").text("code"), "bad_request");
  // The case of an address in the roster is nobody's coming or going.
  const auto calls = box.sandbox.stats().at("calls").at("issue").at("200");
  std::string roster(kThreeMembers);
  roster.replace(roster.find("member2@"), 8, "Member2@");
  box.daemon.write_roster(roster);
  const Finished reloaded = box.daemon.cli({"reload", "--json"});
  EXPECT_EQ(reloaded.code, 0);
  EXPECT_THAT(reloaded.output, ::testing::HasSubstr(R"("retire":[])"));
  EXPECT_FALSE(box.daemon.token("email=member2@example.com").empty());
  EXPECT_EQ(box.daemon.member("email:MEMBER2@example.com").at("key").as_string(),
            "email:Member2@example.com");
  EXPECT_EQ(box.sandbox.stats().at("calls").at("issue").at("200"), calls);
}

TEST(Tokens, TheCommandShowsWhatATerminalWouldObey) {
  Box box;
  box.daemon.write_roster("[[member]]\ncommunity_member_id = 1\nname = \"a\u202eb\"\n");
  ASSERT_TRUE(box.daemon.start());
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"members"}, {"member", "id:1"}, {"member", "id:1", "--json"}}) {
    const Finished shown = box.daemon.cli(command);
    EXPECT_EQ(shown.code, 0) << shown.output;
    EXPECT_THAT(shown.output, ::testing::Not(::testing::HasSubstr("\u202e")));
  }
  EXPECT_THAT(box.daemon.cli({"member", "id:1", "--json"}).output,
              ::testing::HasSubstr(R"("name":"a\u202eb")"));
  const Finished bad = box.daemon.cli({"token", "sso:\u202e\u009b"});
  EXPECT_NE(bad.code, 0);
  EXPECT_THAT(bad.output, ::testing::Not(::testing::HasSubstr("\u009b")));
}

TEST(Tokens, TheCommandPrintsATokenAndNothingElse) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  const Finished token = box.daemon.cli({"token", "sso:sso|3"});
  EXPECT_EQ(token.code, 0) << token.output;
  ASSERT_TRUE(token.output.ends_with('\n'));
  EXPECT_EQ(box.sandbox.state_of(token.output.substr(0, token.output.size() - 1)), "live");
  EXPECT_NE(box.daemon.cli({"token", "id:99"}).code, 0);
  const Finished status = box.daemon.cli({"status", "--json"});
  EXPECT_EQ(status.code, 0);
  EXPECT_THAT(status.output, ::testing::HasSubstr(R"("active":3)"));
  const Finished members = box.daemon.cli({"members"});
  EXPECT_THAT(members.output, ::testing::HasSubstr("email:member2@example.com"));
}

}  // namespace
}  // namespace rota::e2e
