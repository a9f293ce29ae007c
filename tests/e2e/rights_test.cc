// Two programs with different rights: a user of this machine that may fetch only, and a client of a
// listener that may enrol, but neither sign out nor remove.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "e2e/free_port.h"
#include "e2e/grant_box.h"

namespace rota::e2e {
namespace {

constexpr uid_t kCron = 62'001;
// Member 5 of the sandbox, whom no roster names.
constexpr std::string_view kKey = "email:member5@example.com";
constexpr std::string_view kQuery = "email=member5@example.com";

class RightsBox : public GrantBox {
 public:
  RightsBox() {
    daemon.extra = fmt::format(
        "\n[[listener]]\naddress = \"127.0.0.1:{}\"\n"
        "[[grant]]\nclient = \"shop\"\nmembers = [\"*\"]\nmay = [\"fetch\", \"enrol\"]\n"
        "enrol_tags = [\"web\"]\n"
        "[[grant]]\nuser = \"{}\"\nmembers = [\"tag:web\", \"id:1\"]\nmay = [\"fetch\"]\n",
        port_, kCron);
    daemon.write_config();
    const Finished added =
        daemon.cli({"client", "add", "shop", "--config", daemon.config_path().string()});
    const auto at = added.output.find("rota_");
    EXPECT_NE(at, std::string::npos) << added.output;
    bearer_ = added.output.substr(at, added.output.find('\n', at) - at);
  }
  // "200", "201", …, and the code of the refusal, if it is one.
  std::string shop(std::string_view request, std::string_view body = {}) const {
    return ask(Connection::to_port(port_), request,
               fmt::format("Authorization: Bearer {}\r\n", bearer_), body);
  }
  std::string cron(std::string_view request, std::string_view body = {}) const {
    return ask(user(kCron).connect(daemon.token_socket()), request, "", body);
  }

 private:
  static std::string ask(Connection connection, std::string_view request, std::string_view fields,
                         std::string_view body) {
    connection.send(
        fmt::format("{} HTTP/1.1\r\nHost: localhost\r\n{}Content-Type: application/json\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    request, fields, body.size(), body));
    const Reply reply = connection.read_reply();
    if (reply.status < 300) return fmt::format("{}", reply.status);
    return fmt::format("{} {}", reply.status, reply.text("code"));
  }

  const std::uint16_t port_ = free_port();
  std::string bearer_;
};

TEST_F(Grants, P11EachMayDoWhatItsGrantSaysAndNoMore) {
  RightsBox box;
  ASSERT_TRUE(box.daemon.start());
  const std::string member = fmt::format("/v1/members/{}", kKey);
  const std::string put = "PUT " + member;
  const std::string remove = "DELETE " + member;
  const std::string sign_out = "POST " + member + "/sign-out";
  const std::string fetch = fmt::format("GET /v1/token?{}", kQuery);
  const std::string login = "POST /api/v1/headless/auth_token";
  const std::string eve = R"({"email":"member5@example.com"})";

  // Nobody by that name: who may not enrol does not learn that.
  EXPECT_EQ(box.cron(fetch), "403 forbidden");
  EXPECT_EQ(box.cron(fetch + "&enrol=true"), "403 forbidden");
  EXPECT_EQ(box.cron(put), "403 forbidden");
  EXPECT_EQ(box.cron(login, eve), "403 forbidden");
  EXPECT_EQ(box.sandbox.tokens(5, "", "live").size(), 0U) << "no refusal enrols";

  EXPECT_EQ(box.shop(fetch), "404 member_unknown");
  EXPECT_EQ(box.shop(put), "201");
  EXPECT_EQ(box.shop(put), "200");
  const auto enrolled = box.daemon.member(kKey);
  EXPECT_EQ(boost::json::serialize(enrolled.at("tags")), R"(["web"])");
  EXPECT_THAT(boost::json::serialize(enrolled), ::testing::HasSubstr("client:shop"));

  // The tag of the enrolment is what the user's grant names.
  EXPECT_EQ(box.cron(fetch), "200");
  EXPECT_EQ(box.cron(login, eve), "200");
  const std::string token = box.daemon.token(kQuery);
  ASSERT_EQ(box.sandbox.state_of(token), "live");
  const std::string revocation = fmt::format(R"({{"access_token":"{}"}})", token);
  for (const std::string& deed : {sign_out, remove}) {
    EXPECT_EQ(box.cron(deed), "403 forbidden") << deed;
    EXPECT_EQ(box.shop(deed), "403 forbidden") << deed;
  }
  EXPECT_EQ(box.cron("POST /api/v1/headless/access_token/revoke", revocation), "403 forbidden");
  EXPECT_EQ(box.shop("POST /api/v1/headless/access_token/revoke", revocation), "403 forbidden");
  EXPECT_EQ(box.cron(put), "403 forbidden") << "though it is a member";
  EXPECT_EQ(box.sandbox.state_of(token), "live");
  EXPECT_EQ(box.daemon.token(kQuery), token);

  // What each may do with members of the roster.
  EXPECT_EQ(box.cron("GET /v1/token?community_member_id=1"), "200");
  EXPECT_EQ(box.cron("GET /v1/token?email=member2@example.com"), "403 forbidden");
  EXPECT_EQ(box.cron("POST /v1/members/id:1/sign-out"), "403 forbidden");
  EXPECT_EQ(box.shop("POST /v1/members/id:1/sign-out"), "403 forbidden");
  EXPECT_EQ(box.shop("DELETE /v1/members/id:1"), "403 forbidden");
  EXPECT_EQ(box.shop(fmt::format("GET /v1/token?email=member4@example.com&enrol=true")), "200");
  for (const char* admin : {"GET /v1/status", "POST /v1/roster/reload", "GET /v1/audit"}) {
    EXPECT_THAT(box.shop(admin), ::testing::StartsWith("404")) << admin;
    EXPECT_THAT(box.cron(admin), ::testing::StartsWith("404")) << admin;
  }
  EXPECT_EQ(box.sandbox.stats().at("violations").at("total").as_int64(), 0);
}

}  // namespace
}  // namespace rota::e2e
