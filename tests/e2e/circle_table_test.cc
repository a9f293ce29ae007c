// What a program that was written for Circle sees after each event, line by line as the table of
// docs/circle-api.md has it: the answer to a login, and to a refresh by a handle of before.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "e2e/box.h"
#include "e2e/free_port.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kMemberNotFound =
    "Community member not found. Please provide a valid SSO User ID, community member ID, or "
    "email.";
constexpr std::string_view kHandleNotFound = "Refresh token not found.";

constexpr std::string_view kAda = R"({"community_member_id":1})";
constexpr std::string_view kGrace = R"({"email":"member2@example.com"})";
constexpr std::string_view kEve = R"({"email":"member4@example.com"})";  // whom no roster names

// Two programs: "web" may fetch, "shop" may do everything.
class CircleTable : public ::testing::Test {
 protected:
  CircleTable() { box.daemon.extra = listener + kGrants; }

  void start() {
    box.daemon.write_config();
    for (const char* name : {"web", "shop"}) {
      const std::string said =
          box.daemon.cli({"client", "add", name, "--config", box.daemon.config_path().string()})
              .output;
      const auto at = said.find("rota_");
      ASSERT_NE(at, std::string::npos) << said;
      bearers[name] = said.substr(at, said.find('\n', at) - at);
    }
    ASSERT_TRUE(box.daemon.start());
  }
  void restart() {
    box.daemon.kill9();
    ASSERT_TRUE(box.daemon.start());
  }
  void reload() { ASSERT_EQ(box.daemon.cli({"reload"}).code, 0); }

  Reply call(std::string_view client, std::string_view method, std::string_view path,
             std::string_view body) const {
    Connection connection = Connection::to_port(port);
    connection.send(
        fmt::format("{} /api/v1/headless/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
                    "{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                    method, path, bearers.at(std::string(client)), body.size(), body));
    return connection.read_reply();
  }
  Reply log_in(std::string_view client, std::string_view selector) const {
    return call(client, "POST", "auth_token", selector);
  }
  Reply refresh(std::string_view client, std::string_view handle) const {
    return call(client, "PATCH", "access_token/refresh",
                fmt::format(R"({{"refresh_token":"{}"}})", handle));
  }
  // The handle that a login brings, with a token that Circle takes.
  std::string handle_of(std::string_view client, std::string_view selector) const {
    const Reply pair = log_in(client, selector);
    expect_token(pair);
    return pair.text("refresh_token");
  }
  void expect_token(const Reply& reply) const {
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(box.sandbox.state_of(reply.text("access_token")), "live");
  }
  static void expect_error(const Reply& reply, int status, std::string_view code,
                           std::string_view message) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_EQ(reply.text("code"), code);
    EXPECT_EQ(reply.text("message"), message);
  }
  static void expect_dead(const Reply& refreshed) {
    expect_error(refreshed, 404, "token_unknown", kHandleNotFound);
  }

  const std::uint16_t port = free_port();
  const std::string listener = fmt::format("\n[[listener]]\naddress = \"127.0.0.1:{}\"\n", port);
  static constexpr std::string_view kShopsGrant =
      "[[grant]]\nclient = \"shop\"\nmembers = [\"*\"]\n"
      "may = [\"fetch\", \"enrol\", \"sign_out\", \"remove\"]\n";
  const std::string kGrants =
      fmt::format("[[grant]]\nclient = \"web\"\nmembers = [\"*\"]\n{}", kShopsGrant);
  std::map<std::string, std::string> bearers;
  // A refresh by who has the present token waits until that is a quarter of its life old.
  Box box{{"--access-ttl", "12s", "--refresh-ttl", "2400h"}};
};

TEST_F(CircleTable, ARetirement) {
  start();
  const std::string web = handle_of("web", kAda);
  const std::string shop = handle_of("shop", kGrace);
  box.daemon.write_roster(
      "[[member]]\nemail = \"member2@example.com\"\nretired = true\n"
      "[[member]]\nsso_user_id = \"sso|3\"\n");
  reload();
  expect_error(log_in("web", kAda), 404, "member_retired", kMemberNotFound);
  expect_dead(refresh("web", web));
  // A client that may enrol does not bring back whom the roster calls retired.
  expect_error(log_in("shop", kGrace), 404, "member_retired", kMemberNotFound);
  expect_dead(refresh("shop", shop));
  // But whom the roster only no longer names, it does.
  handle_of("shop", kAda);
  expect_dead(refresh("web", web));
}

TEST_F(CircleTable, ABlock) {
  start();
  const std::string web = handle_of("web", kAda);
  const std::string shop = handle_of("shop", kAda);
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  for (const auto& [client, handle] : {std::pair("web", web), std::pair("shop", shop)}) {
    expect_error(log_in(client, kAda), 404, "member_blocked", kMemberNotFound);
    expect_dead(refresh(client, handle));
  }
}

TEST_F(CircleTable, TheMemberIsForgotten) {
  start();
  expect_error(log_in("web", kEve), 404, "member_unknown", kMemberNotFound);
  const std::string shop = handle_of("shop", kEve);
  const std::string web = handle_of("web", kEve);
  ASSERT_EQ(box.daemon.cli({"remove", "email:member4@example.com"}).code, 0);
  ASSERT_TRUE(eventually([&] { return log_in("web", kEve).text("code") == "member_unknown"; }));
  expect_error(log_in("web", kEve), 404, "member_unknown", kMemberNotFound);
  expect_dead(refresh("web", web));
  expect_dead(refresh("shop", shop));
  EXPECT_THAT(box.sandbox.tokens(4, "", "live"), ::testing::IsEmpty());
  // It is as if she had never been there: a client that may enrol makes her a member again.
  handle_of("shop", kEve);
  expect_dead(refresh("web", web));
}

TEST_F(CircleTable, ASignOut) {
  start();
  const Reply before = log_in("web", kAda);
  const std::string shop = handle_of("shop", kAda);
  ASSERT_EQ(box.daemon.cli({"sign-out", "id:1"}).code, 0);
  const Reply after = log_in("web", kAda);
  expect_token(after);
  EXPECT_NE(after.text("access_token"), before.text("access_token"));
  EXPECT_EQ(box.sandbox.state_of(before.text("access_token")), "revoked");
  expect_dead(refresh("web", before.text("refresh_token")));
  expect_dead(refresh("shop", shop));
}

TEST_F(CircleTable, ARevocationOfTheAccessToken) {
  start();
  const Reply before = log_in("web", kAda);
  const std::string token = fmt::format(R"({{"access_token":"{}"}})", before.text("access_token"));
  EXPECT_EQ(call("web", "POST", "access_token/revoke", token).status, 403);
  EXPECT_EQ(box.sandbox.state_of(before.text("access_token")), "live");
  EXPECT_EQ(call("shop", "POST", "access_token/revoke", token).status, 204);
  EXPECT_EQ(box.sandbox.state_of(before.text("access_token")), "revoked");
  expect_error(call("shop", "POST", "access_token/revoke", token), 422, "token_unknown",
               "The access token not found.");
  expect_token(refresh("web", before.text("refresh_token")));
  expect_token(log_in("web", kAda));
}

TEST_F(CircleTable, TheNameLeadsToAnotherMemberNow) {
  start();
  const std::string web = handle_of("web", kGrace);
  ASSERT_EQ(
      box.sandbox.control(post("/_sandbox/members", R"({"id":9,"email":"member2@example.com"})"))
          .status,
      200);
  // Circle must be asked by the name, since the refresh token is dead.
  for (const std::string& token : box.sandbox.tokens(2, "refresh", "live")) {
    box.sandbox.control(post("/_sandbox/revoke", fmt::format(R"({{"token":"{}"}})", token)));
  }
  // A refresh by who has the present token finds out.
  EXPECT_EQ(refresh("web", web).text("code"), "member_mismatched");
  for (const char* client : {"web", "shop"}) {
    const Reply reply = log_in(client, kGrace);
    EXPECT_EQ(reply.status, 503) << reply.body;
    EXPECT_EQ(reply.text("code"), "member_mismatched");
    EXPECT_THAT(reply.head, HasSubstr("\r\nRetry-After: "));
  }
  expect_dead(refresh("web", web));
}

TEST_F(CircleTable, AMergeOfTwoMembers) {
  start();
  const std::string stays = handle_of("web", kAda);
  const std::string enrolled = handle_of("shop", kEve);
  box.daemon.write_roster(std::string(kThreeMembers) +
                          "[[member]]\nemail = \"member1@example.com\"\n"
                          "[[member]]\nsso_user_id = \"sso|4\"\n");
  reload();
  for (const auto& [selector, id] : {std::pair(R"({"email":"member1@example.com"})", 1),
                                     std::pair(R"({"sso_user_id":"sso|4"})", 4)}) {
    const Reply other_name = log_in("web", selector);
    expect_token(other_name);
    EXPECT_EQ(other_name.json().at("community_member_id"), id);
  }
  EXPECT_TRUE(box.daemon.comes_to_say("is the same member as", 2));
  expect_token(refresh("web", stays));
  expect_token(refresh("shop", enrolled));
}

TEST_F(CircleTable, ARestart) {
  start();
  const std::string web = handle_of("web", kAda);
  restart();
  handle_of("web", kAda);
  expect_token(refresh("web", web));
  expect_dead(refresh("shop", web));
}

TEST_F(CircleTable, AReloadThatTakesTheGrantAway) {
  start();
  const std::string web = handle_of("web", kAda);
  box.daemon.extra = listener + std::string(kShopsGrant);
  box.daemon.write_config();
  reload();
  EXPECT_EQ(log_in("web", kAda).status, 403);
  EXPECT_EQ(log_in("web", kAda).text("code"), "forbidden");
  expect_dead(refresh("web", web));
  box.daemon.extra = listener + kGrants;
  box.daemon.write_config();
  reload();
  expect_token(refresh("web", web));
}

// Only the key with which a database was made opens it.
TEST_F(CircleTable, ANewStoreKey) {
  start();
  const std::string web = handle_of("web", kAda);
  box.daemon.kill9();
  std::filesystem::remove_all(box.daemon.database().parent_path());
  std::filesystem::create_directory(box.daemon.database().parent_path());
  std::filesystem::permissions(box.daemon.database().parent_path(),
                               std::filesystem::perms::owner_all);
  testing::write_bytes(box.daemon.folder() / "credentials" / "store-key",
                       std::string(64, 'b') + "\n");
  ASSERT_TRUE(box.daemon.start());
  handle_of("web", kAda);
  expect_dead(refresh("web", web));
}

TEST_F(CircleTable, TheClientRevokedItsHandle) {
  start();
  const std::string web = handle_of("web", kAda);
  const std::string shop = handle_of("shop", kAda);
  const std::string body = fmt::format(R"({{"refresh_token":"{}"}})", web);
  expect_dead(call("shop", "POST", "refresh_token/revoke", body));
  EXPECT_EQ(call("web", "POST", "refresh_token/revoke", body).status, 204);
  expect_dead(refresh("web", web));
  restart();
  expect_dead(refresh("web", web));
  expect_token(refresh("shop", shop));
  expect_token(refresh("web", handle_of("web", kAda)));
}

TEST_F(CircleTable, ThirtyDays) {
  start();
  const std::string web = handle_of("web", kAda);
  restart();  // Circle's clock is on record, so a change of it is doubted and asked for at once
  ASSERT_EQ(box.sandbox.control(post("/_sandbox/options", R"({"clock_offset":"30d"})")).status,
            200);
  ASSERT_EQ(box.daemon.cli({"rotate", "id:1"}).code, 0);
  Reply refreshed;
  ASSERT_TRUE(eventually([&] {
    refreshed = refresh("web", web);
    return refreshed.status == 401;
  })) << refreshed.body;
  expect_error(refreshed, 401, "token_expired",
               "The refresh token is expired. Please generate/get new auth token.");
  expect_token(refresh("web", handle_of("web", kAda)));
}

TEST_F(CircleTable, NoTokenIsAliveAndCircleDoesNotAnswer) {
  box.sandbox.control(post("/_sandbox/options", R"({"access_ttl":"4s"})"));
  start();
  const std::string web = handle_of("web", kAda);
  box.sandbox.faults(R"(["any:json500:1"])");
  ASSERT_TRUE(
      eventually([&] { return box.daemon.fetch("community_member_id=1&wait=0").status == 503; }));
  // Both wait for a token, and for as long as a client may have to.
  auto login = std::async(std::launch::async, [&] { return log_in("web", kAda); });
  for (const Reply& reply : {refresh("web", web), login.get()}) {
    EXPECT_EQ(reply.status, 503) << reply.body;
    EXPECT_EQ(reply.text("code"), "token_unavailable");
    EXPECT_THAT(reply.head, HasSubstr("\r\nRetry-After: "));
  }
  box.sandbox.faults("[]");
  expect_token(log_in("web", kAda));
}

}  // namespace
}  // namespace rota::e2e
