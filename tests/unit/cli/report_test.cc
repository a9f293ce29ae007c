#include "cli/report.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace rota::cli {
namespace {

using ::testing::HasSubstr;

boost::json::object object(std::string_view text) { return boost::json::parse(text).as_object(); }

TEST(Describe, ShowsWhatATerminalWouldObey) {
  const std::string text = describe(object("{\"name\":\"a\\u202eb\\u009b31m\\n\",\"k\\u001b\":1}"));
  EXPECT_EQ(text, "name   a\\u202eb\\x9b31m\\x0a\nk\\x1b  1\n");
}

TEST(TokenOf, FindsTheTokenAndNothingElse) {
  EXPECT_EQ(token_of(Secret(R"({"access_token":"e\"y","community_id":1})"))->reveal(), "e\"y");
  for (const auto* body : {"", "[]", "null", "{}", R"({"access_token":null})",
                           R"({"access_token":""})", R"({"access_token":"x")", "<html>"}) {
    EXPECT_FALSE(token_of(Secret(body))) << body;
  }
}

TEST(TokenOf, RefusesABodyThatNoTokenNeeds) {
  const std::string long_body = R"({"access_token":")" + std::string(70'000, 'x') + "\"}";
  EXPECT_FALSE(token_of(Secret(long_body)));
  EXPECT_TRUE(token_of(Secret(R"({"access_token":")" + std::string(60'000, 'x') + "\"}")));
}

TEST(Describe, AlignsNestedKeys) {
  EXPECT_EQ(describe(object(R"({"ready":true,"store":{"last":"x\ny","rows":12},"none":null,
                                "reasons":[],"tags":["a","b"],"lanes":[{"n":1},{"n":2.5}]})")),
            "ready       yes\n"
            "store.last  x\\x0ay\n"
            "store.rows  12\n"
            "none        -\n"
            "reasons     -\n"
            "tags        a, b\n"
            "lanes.1.n   1\n"
            "lanes.2.n   2.5E0\n");
}

TEST(Describe, ExplainsTheWordsOfTheManualWhereTheyStand) {
  const std::string text = describe(object(R"({"superseded":2,"doubts":0,"name":"superseded"})"));
  EXPECT_THAT(text, testing::HasSubstr("superseded  2  (replaced, and alive until their end)\n"));
  EXPECT_THAT(text, testing::HasSubstr("doubts      0\n"));
  EXPECT_THAT(text, testing::HasSubstr("name        superseded\n"));
}

TEST(Report, AReloadSaysWhatItDidNotTakeIn) {
  const auto text = describe_reload(
      object(
          R"({"id":"0","held":false,"add":[],"retire":[],"change":[],"calls":0,"reload":{"grants":"waiting",
          "needs_restart":["upstream","serve"],"changed":["clients: 1 added, 1 removed"],"held_back":["rotad.toml:3: no user \"x\u001b\""]}})"),
      std::nullopt);
  EXPECT_THAT(text, testing::HasSubstr("NEEDS A RESTART: the changes in [upstream], [serve]"));
  EXPECT_THAT(text, testing::HasSubstr("GRANT HELD BACK: rotad.toml:3: no user \"x\\x1b\""));
  EXPECT_THAT(text, testing::HasSubstr("GRANTS WAIT"));
  EXPECT_THAT(text, testing::HasSubstr("\nclients: 1 added, 1 removed\n"));
  EXPECT_EQ(describe_reload(object(R"({"id":"0","held":false,"add":[],"retire":[],"change":[]})"),
                            std::nullopt),
            "no member changes: the roster on disk is in force\n");
}

TEST(DescribeOperation, IsCompleteOnlyWhenNothingCanBeAlive) {
  const auto dead = describe_operation(
      object(R"({"done":true,"state":"blocked","detail":"all revoked","doubts":0,"revocations":[
          {"kind":"refresh","fingerprint":"00000000000000ff","result":"revoked","alive":false}]})"),
      true);
  EXPECT_EQ(dead.problem, "");
  EXPECT_EQ(dead.text, "refresh  00000000000000ff  revoked\nblocked: all revoked\n");
}

TEST(DescribeOperation, CountsWhatIsMissingAgainstIt) {
  const auto problem = [](std::string_view report) {
    return describe_operation(object(report), true).problem;
  };
  EXPECT_THAT(problem("{}"), HasSubstr("not done"));
  EXPECT_THAT(problem(R"({"done":false,"doubts":0,"revocations":[]})"), HasSubstr("not done"));
  EXPECT_THAT(problem(R"({"done":true,"revocations":[]})"), HasSubstr("in doubt"));
  EXPECT_THAT(problem(R"({"done":true,"doubts":0})"), HasSubstr("happened to the tokens"));
  EXPECT_EQ(problem(R"({"done":true,"doubts":2,"revocations":[]})"),
            "2 calls of unknown fate may have left tokens alive");
  EXPECT_EQ(problem(R"({"done":true,"doubts":0,"revocations":[{"alive":true}]})"),
            "1 token is alive");
  EXPECT_EQ(problem(R"({"done":true,"doubts":0,"revocations":[{"kind":"access"},7]})"),
            "2 tokens are alive");
  EXPECT_EQ(problem(R"({"done":true,"doubts":0,"revocations":[]})"), "");
}

TEST(DescribeRefusal, TellsApartWhatAScriptMustTellApart) {
  const auto refusal = [](int status, std::string_view body) {
    return describe_refusal(status, boost::json::parse(body));
  };
  EXPECT_EQ(refusal(410, R"({"success":false,"code":"member_retired","message":"gone"})").message,
            "member_retired: gone");
  EXPECT_EQ(refusal(410, R"({"code":"member_blocked"})").exit, ExitCode::kNoMember);
  EXPECT_EQ(refusal(404, R"({"code":"member_unknown"})").exit, ExitCode::kNoMember);
  EXPECT_EQ(refusal(403, R"({"code":"forbidden"})").exit, ExitCode::kFailed);
  EXPECT_EQ(refusal(503, R"({"code":"token_unavailable"})").exit, ExitCode::kNotNow);
  EXPECT_EQ(refusal(503, R"({"code":"member_mismatched"})").exit, ExitCode::kFailed);
  EXPECT_THAT(refusal(500, "null").message, HasSubstr("500"));
}

}  // namespace
}  // namespace rota::cli
