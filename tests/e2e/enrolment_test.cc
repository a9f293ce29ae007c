// Members that come and go by themselves: login, logout and leaving, through the daemon and over
// its deaths.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "e2e/box.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;

// Member 4 of the sandbox, whom no roster names.
constexpr std::string_view kEmail = "member4@example.com";

class Enrolment : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.daemon.start());
    for (const char* other :
         {"community_member_id=1", "email=member2@example.com", "sso_user_id=sso%7C3"}) {
      ASSERT_FALSE(box.daemon.token(other).empty()) << "the roster's members need no calls later";
    }
  }

  static std::string request(std::string_view method, std::string_view rest) {
    return fmt::format(
        "{} /v1/members/email:{}{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        method, kEmail, rest);
  }
  Reply ask(std::string_view method, std::string_view rest = "") const {
    Connection connection = Connection::to_unix(box.daemon.token_socket());
    connection.send(request(method, rest));
    return connection.read_reply();
  }
  Reply fetch() const { return box.daemon.fetch(fmt::format("email={}", kEmail)); }
  std::string token() const { return box.daemon.token(fmt::format("email={}", kEmail)); }
  bool all_dead() const { return box.sandbox.tokens(4, "", "live").empty(); }
  std::int64_t in_flight() const {
    return box.sandbox.stats().at("in_flight").at("now").as_int64();
  }
  void die_and_start() {
    box.daemon.kill9();
    ASSERT_TRUE(box.daemon.start());
  }

  Box box{{"--access-ttl", "1h"}};
};

TEST_F(Enrolment, P2P4TheWholeWayLosesNothingOverKills) {
  EXPECT_EQ(fetch().status, 404) << "nobody knows the member yet";
  const Reply enrolled = ask("PUT");
  EXPECT_EQ(enrolled.status, 201) << enrolled.body;
  EXPECT_EQ(enrolled.json().at("community_member_id"), 4);
  EXPECT_EQ(enrolled.text("source"), "enrolled");
  die_and_start();  // what was answered with 201 is durable
  EXPECT_EQ(ask("PUT").status, 200) << "a member already";
  const std::string first = token();
  ASSERT_EQ(box.sandbox.state_of(first), "live");

  die_and_start();
  EXPECT_EQ(token(), first);
  const Reply signed_out = ask("POST", "/sign-out");
  EXPECT_EQ(signed_out.status, 200) << signed_out.body;
  EXPECT_EQ(box.sandbox.state_of(first), "revoked");

  die_and_start();  // the sign-out, too
  const std::string second = token();
  EXPECT_NE(second, first);
  ASSERT_EQ(box.sandbox.state_of(second), "live");

  const Reply removed = ask("DELETE");
  EXPECT_EQ(removed.status, 200) << removed.body;
  EXPECT_NE(fetch().status, 200);
  die_and_start();
  EXPECT_TRUE(eventually([&] { return all_dead(); }));
  EXPECT_TRUE(eventually([&] { return fetch().status == 404; })) << "and nobody knows it any more";
  EXPECT_EQ(box.sandbox.stats().at("violations").at("total").as_int64(), 0);
}

// A kill while Circle has the call, which it carries out or does not, and the client has no answer.
TEST_F(Enrolment, P2P4AKillInTheMiddleOfADeedLeavesNothingHalfDone) {
  const std::string_view not_done = R"(["any:hang:1"])";
  const std::string_view done_unheard = R"(["revoke_access:hang_after:1","any:hang:1"])";
  for (const std::string_view fault : {not_done, done_unheard}) {
    const auto die_while_it_hangs = [&](std::string_view method, std::string_view rest) {
      EXPECT_TRUE(eventually([&] { return in_flight() == 0; })) << "nothing is left of before";
      box.sandbox.faults(fault);
      Connection connection = Connection::to_unix(box.daemon.token_socket());
      connection.send(request(method, rest));
      EXPECT_TRUE(eventually([&] { return in_flight() > 0; })) << method;
      if (method != "PUT") {
        EXPECT_NE(box.daemon.fetch(fmt::format("email={}&wait=0", kEmail)).status, 200)
            << method << ": from the moment of the request";
      }
      die_and_start();
      box.sandbox.faults("[]");
    };
    die_while_it_hangs("PUT", "");
    const Reply enrolled = ask("PUT");
    EXPECT_TRUE(enrolled.status == 200 || enrolled.status == 201) << enrolled.body;
    const std::string first = token();
    EXPECT_EQ(box.sandbox.state_of(first), "live");
    die_while_it_hangs("POST", "/sign-out");
    const std::string second = token();
    EXPECT_NE(second, first);
    EXPECT_EQ(box.sandbox.state_of(second), "live");
    EXPECT_TRUE(eventually([&] { return box.sandbox.state_of(first) == "revoked"; }));
    die_while_it_hangs("DELETE", "");
    EXPECT_TRUE(eventually([&] { return all_dead(); }));
    EXPECT_EQ(fetch().status, 410);
    EXPECT_EQ(box.daemon.member(fmt::format("email:{}", kEmail))["doubts"], 1)
        << "kept: for all that rotad knows the first PUT's call made a token";
  }
  EXPECT_EQ(box.sandbox.stats().at("violations").at("total").as_int64(), 0);
}

TEST_F(Enrolment, OnlyCirclesLastWordConfirmsAMember) {
  ASSERT_EQ(ask("PUT").status, 201);
  const std::string before = token();
  box.sandbox.control("DELETE /_sandbox/members/4 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(ask("POST", "/sign-out").status, 200);
  EXPECT_EQ(ask("PUT").status, 404) << "Circle has said that the member is gone";
  EXPECT_NE(fetch().status, 200);
  die_and_start();
  EXPECT_EQ(ask("PUT").status, 404) << "and says so again";
  const std::string_view again = R"({"id":4,"email":"member4@example.com","sso_user_id":"sso|4"})";
  box.sandbox.control(
      fmt::format("POST /_sandbox/members HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}",
                  again.size(), again));
  die_and_start();  // the daemon need not wait ten seconds before it asks
  const Reply restored = ask("PUT");
  EXPECT_EQ(restored.status, 201) << restored.body;
  EXPECT_EQ(restored.json().at("community_member_id"), 4);
  EXPECT_NE(token(), before);
}

TEST_F(Enrolment, ATokenOfAMemberThatCircleRemovedIsNotFound) {
  ASSERT_EQ(ask("PUT").status, 201);
  const std::string body = fmt::format(R"({{"access_token":"{}"}})", token());
  box.sandbox.control("DELETE /_sandbox/members/4 HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int time = 1; time <= 2; ++time) {
    Connection connection = Connection::to_unix(box.daemon.token_socket());
    connection.send(
        fmt::format("POST /api/v1/headless/access_token/revoke HTTP/1.1\r\n"
                    "Host: localhost\r\nContent-Type: application/json\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    body.size(), body));
    const Reply reply = connection.read_reply();
    EXPECT_EQ(reply.status, 422) << time;
    EXPECT_EQ(reply.text("message"), "The access token not found.") << time;
  }
}

TEST_F(Enrolment, ARemovalIsDoneOnceAllTokensAreDead) {
  ASSERT_EQ(ask("PUT").status, 201);
  ASSERT_FALSE(token().empty());
  const Reply removed = ask("DELETE");
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(removed.json().at("done"), true);
  EXPECT_TRUE(all_dead()) << "not only soon";
  EXPECT_EQ(ask("DELETE").status, 404);
}

TEST_F(Enrolment, AnOperatorSeesWhoIsHeldBackAndLiftsNothingElse) {
  const Finished nobody = box.daemon.cli({"lift-removals", "user:nobody"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.output, HasSubstr("user:nobody is not held back; held back: nobody"));
  box.daemon.roster_options = {{"max_retire_count", "0"}, {"max_retire_fraction", "0.1"}};
  die_and_start();
  ASSERT_EQ(ask("PUT").status, 201);
  EXPECT_EQ(ask("DELETE").status, 503);
  const auto held_back = [&] {
    const Reply status = box.daemon.admin("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto names = status.json().at("removals_held_back").as_array();
    return names.size() == 1 ? std::string(names.front().as_string()) : std::string();
  };
  const std::string client = held_back();
  EXPECT_THAT(box.daemon.cli({"status"}).output, HasSubstr("rota lift-removals " + client));
  die_and_start();
  EXPECT_EQ(held_back(), client) << "its enrolments tell the name";
  EXPECT_EQ(box.daemon.cli({"lift-removals", client}).code, 0);
  EXPECT_EQ(held_back(), "");
  EXPECT_EQ(ask("DELETE").status, 200);
}

TEST_F(Enrolment, AnOperatorGivesTheMemberAName) {
  const std::string key = fmt::format("email:{}", kEmail);
  const auto done = box.daemon.cli({"enrol", key, "--name", "Ada Lovelace"});
  EXPECT_EQ(done.code, 0) << done.output;
  EXPECT_EQ(box.daemon.member(key).at("name"), "Ada Lovelace");
  EXPECT_EQ(box.daemon.cli({"enrol", key, "id:5", "--name", "x"}).code, 2);
}

TEST_F(Enrolment, AnOperatorDoesTheSame) {
  const std::string key = fmt::format("email:{}", kEmail);
  const Finished enrolled = box.daemon.cli({"enrol", key});
  EXPECT_EQ(enrolled.code, 0) << enrolled.output;
  EXPECT_THAT(enrolled.output, HasSubstr("enrolled: id:4"));
  const std::string first = token();
  ASSERT_EQ(box.sandbox.state_of(first), "live");
  const Finished signed_out = box.daemon.cli({"sign-out", key});
  EXPECT_EQ(signed_out.code, 0) << signed_out.output;
  EXPECT_EQ(box.sandbox.state_of(first), "revoked");
  const std::string second = token();
  EXPECT_NE(second, first);
  EXPECT_EQ(box.sandbox.state_of(second), "live");
  const Finished removed = box.daemon.cli({"remove", key});
  EXPECT_EQ(removed.code, 0) << removed.output;
  EXPECT_TRUE(eventually([&] { return all_dead(); }));
  EXPECT_EQ(box.daemon.cli({"remove", "id:1"}).code, 1) << "the roster names it";
  EXPECT_FALSE(box.daemon.token("community_member_id=1").empty());
}

}  // namespace
}  // namespace rota::e2e
