// Calls that break the contract: each is refused in Circle's shape and noted as a breach.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/sandbox/fixture.h"

namespace rota::sandbox {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kById = R"({"community_member_id":1})";
constexpr std::string_view kNoRoute =
    R"({"success":false,"message":"Not found.","error_details":{}})";
constexpr std::string_view kUnauthorized =
    R"({"success":false,"message":"Your account could not be authenticated.","error_details":{}})";
constexpr std::string_view kMissingAccess =
    R"({"success":false,"message":"Oops! Missing parameter. Please try again later.",)"
    R"("error_details":{"message":"Missing parameter: access_token"}})";
constexpr std::string_view kMissingRefresh =
    R"({"success":false,"message":"Oops! Missing parameter. Please try again later.",)"
    R"("error_details":{"message":"Missing parameter: refresh_token"}})";

struct Case {
  std::string_view name;
  Request request;
  int status;
  std::string_view reason;
  std::string_view body = {};  // empty: only Circle's shape is looked at
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"UnknownPath",
       {"POST", "/api/v1/headless/nothing", kBearer, kJson, kById},
       404,
       "unknown path",
       kNoRoute},
      {"TrailingSlash",
       {"POST", "/api/v1/headless/auth_token/", kBearer, kJson, kById},
       404,
       "unknown path",
       kNoRoute},
      {"WrongMethod", {"GET", kIssuePath, kBearer, kJson, kById}, 404, "wrong method", kNoRoute},
      {"RefreshByPost",
       {"POST", kRefreshPath, kBearer, kJson, R"({"refresh_token":"x"})"},
       404,
       "wrong method",
       kNoRoute},
      {"QueryString",
       {"POST", "/api/v1/headless/auth_token?email=a", kBearer, kJson, kById},
       404,
       "query string",
       kNoRoute},
      {"NoBearer", {"POST", kIssuePath, "", kJson, kById}, 401, "no bearer", kUnauthorized},
      {"WrongBearer",
       {"POST", kIssuePath, "Bearer other", kJson, kById},
       401,
       "wrong bearer",
       kUnauthorized},
      {"OtherScheme",
       {"POST", kIssuePath, "Token sandbox-app-token", kJson, kById},
       401,
       "wrong bearer",
       kUnauthorized},
      {"LongerBearer",
       {"POST", kIssuePath, "Bearer sandbox-app-tokenx", kJson, kById},
       401,
       "wrong bearer",
       kUnauthorized},
      {"NoContentType", {"POST", kIssuePath, kBearer, "", kById}, 400, "content type is not JSON"},
      {"FormContentType",
       {"POST", kIssuePath, kBearer, "application/x-www-form-urlencoded", kById},
       400,
       "content type is not JSON"},
      {"LongerContentType",
       {"POST", kIssuePath, kBearer, "application/jsonx", kById},
       400,
       "content type is not JSON"},
      {"EmptyBody", {"POST", kIssuePath, kBearer, kJson, ""}, 400, "body is not a JSON object"},
      {"CutBody",
       {"POST", kIssuePath, kBearer, kJson, R"({"community_member_id":1)"},
       400,
       "body is not a JSON object"},
      {"ArrayBody", {"POST", kIssuePath, kBearer, kJson, "[1]"}, 400, "body is not a JSON object"},
      {"NoSelector",
       {"POST", kIssuePath, kBearer, kJson, "{}"},
       404,
       "no selector",
       R"({"success":false,"message":"Community member not found. Please provide a valid SSO )"
       R"(User ID, community member ID, or email.","error_details":{}})"},
      {"TwoSelectors",
       {"POST", kIssuePath, kBearer, kJson,
        R"({"community_member_id":1,"email":"member1@example.com"})"},
       400,
       "more than one selector"},
      {"IdAsString",
       {"POST", kIssuePath, kBearer, kJson, R"({"community_member_id":"1"})"},
       400,
       "community_member_id is not an integer of at least 1"},
      {"IdAsDouble",
       {"POST", kIssuePath, kBearer, kJson, R"({"community_member_id":1.0})"},
       400,
       "community_member_id is not an integer of at least 1"},
      {"IdZero",
       {"POST", kIssuePath, kBearer, kJson, R"({"community_member_id":0})"},
       400,
       "community_member_id is not an integer of at least 1"},
      {"EmailAsNumber",
       {"POST", kIssuePath, kBearer, kJson, R"({"email":1})"},
       400,
       "email is not a string with something in it"},
      {"SsoAsNull",
       {"POST", kIssuePath, kBearer, kJson, R"({"sso_user_id":null})"},
       400,
       "sso_user_id is not a string with something in it"},
      {"ExtraFieldOnIssue",
       {"POST", kIssuePath, kBearer, kJson, R"({"community_member_id":1,"name":"Ada"})"},
       400,
       "unknown field"},
      {"ExtraFieldOnRefresh",
       {"PATCH", kRefreshPath, kBearer, kJson, R"({"refresh_token":"x","email":"y"})"},
       400,
       "unknown field"},
      {"RefreshWithoutToken",
       {"PATCH", kRefreshPath, kBearer, kJson, "{}"},
       404,
       "missing parameter",
       kMissingRefresh},
      {"RevokeAccessWithoutToken",
       {"POST", kRevokeAccessPath, kBearer, kJson, "{}"},
       404,
       "missing parameter",
       kMissingAccess},
      {"RevokeAccessEmpty",
       {"POST", kRevokeAccessPath, kBearer, kJson, R"({"access_token":""})"},
       404,
       "missing parameter",
       kMissingAccess},
      {"RevokeAccessNumber",
       {"POST", kRevokeAccessPath, kBearer, kJson, R"({"access_token":5})"},
       404,
       "the token is not a string",
       kMissingAccess},
      {"RevokeRefreshWithoutToken",
       {"POST", kRevokeRefreshPath, kBearer, kJson, "{}"},
       404,
       "missing parameter",
       kMissingRefresh},
      {"RevokeRefreshNull",
       {"POST", kRevokeRefreshPath, kBearer, kJson, R"({"refresh_token":null})"},
       404,
       "missing parameter",
       kMissingRefresh},
      {"RevokeRefreshNumber",
       {"POST", kRevokeRefreshPath, kBearer, kJson, R"({"refresh_token":5})"},
       404,
       "the token is not a string",
       R"({"success":false,"message":"Invalid refresh token.","error_details":{}})"},
      {"RevokeRefreshWithAccessField",
       {"POST", kRevokeRefreshPath, kBearer, kJson, R"({"access_token":"x"})"},
       400,
       "unknown field"},
  };
  return kCases;
}

TEST_F(CircleTest, EveryBreachIsRefusedAndNotedOnce) {
  std::uint64_t expected = 0;
  for (const Case& each : cases()) {
    SCOPED_TRACE(each.name);
    const Exchange exchange = call(each.request);
    EXPECT_EQ(exchange.reply.status, each.status);
    EXPECT_TRUE(exchange.tokens.empty());
    const auto body = object_of(exchange.reply);
    EXPECT_EQ(body.at("success"), false);
    EXPECT_FALSE(text_of(body, "message").empty());
    EXPECT_TRUE(body.at("error_details").is_object());
    if (!each.body.empty()) EXPECT_EQ(exchange.reply.body, each.body);

    EXPECT_EQ(circle_.stats().violations(), ++expected);
    const auto recent = stats().at("violations").at("recent").as_array();
    ASSERT_FALSE(recent.empty());
    EXPECT_EQ(recent.back().at("reason").as_string(), each.reason);
    EXPECT_EQ(recent.back().at("method").as_string(), each.request.method);
  }
  EXPECT_TRUE(circle_.ledger().tokens().empty());
}

TEST_F(CircleTest, WhatTheContractAllowsIsNoBreach) {
  EXPECT_EQ(
      call({"POST", kIssuePath, kBearer, "application/json; charset=utf-8", kById}).reply.status,
      200);
  EXPECT_EQ(call({"POST", kIssuePath, kBearer, "Application/JSON", kById}).reply.status, 200);
  EXPECT_EQ(circle_.stats().violations(), 0U);
}

TEST_F(CircleTest, BreachesBehindARefusalAreNotedToo) {
  call({"POST", kIssuePath, "Bearer other", "text/plain", kById});
  EXPECT_EQ(circle_.stats().violations(), 2U);
  use_faults(R"(["any:html502:1"])");
  EXPECT_EQ(post(kIssuePath, "{}").status, 502);
  EXPECT_EQ(circle_.stats().violations(), 3U);
}

TEST_F(CircleTest, ViolationListIsBoundedAndHoldsNoQuery) {
  const std::string secret = "/api/v1/headless/x?token=hush";
  for (int i = 0; i < 150; ++i) call({"GET", secret, kBearer, kJson, ""});
  const auto violations = stats().at("violations").as_object();
  EXPECT_EQ(violations.at("total"), 150);
  EXPECT_EQ(violations.at("by_reason").at("unknown path"), 150);
  EXPECT_EQ(violations.at("recent").as_array().size(), 100U);
  EXPECT_EQ(boost::json::serialize(violations).find("hush"), std::string::npos);
  const std::string endless(5000, 'a');
  call({"GET", endless, kBearer, kJson, ""});
  EXPECT_LE(stats().at("violations").at("recent").as_array().back().at("path").as_string().size(),
            100U);
}

TEST_F(CircleTest, AppTokenCanBeReplaced) {
  ASSERT_EQ(ask("POST", "/_sandbox/app-token", R"({"app_token":"next"})").status, 200);
  expect_reply(issue(), 401, kUnauthorized);
  EXPECT_EQ(call({"POST", kIssuePath, "Bearer next", kJson, kById}).reply.status, 200);
}

}  // namespace
}  // namespace rota::sandbox
