#include "circle/encode.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

void expect(const AuthRequest& request, std::string_view method, std::string_view path,
            std::string_view body) {
  const HttpRequest encoded = encode(request);
  EXPECT_EQ(encoded.method, method);
  EXPECT_EQ(encoded.path, path);
  EXPECT_EQ(encoded.body.reveal(), body);
}

TEST(Encode, WritesTheFourCallsAsTheDescriptionHasThem) {
  const auto issue = [](MemberKey key) { return AuthRequest{CallKind::kIssue, key, nullptr}; };
  constexpr auto kIssuePath = "/api/v1/headless/auth_token";
  expect(issue(*MemberKey::from_id(42)), "POST", kIssuePath, R"({"community_member_id":42})");
  expect(issue(*MemberKey::from_id(kCommunityMemberIdMax)), "POST", kIssuePath,
         R"({"community_member_id":9007199254740992})");
  expect(issue(*MemberKey::from_email("grace@example.com")), "POST", kIssuePath,
         R"({"email":"grace@example.com"})");
  expect(issue(*MemberKey::from_sso("google-oauth2|106")), "POST", kIssuePath,
         R"({"sso_user_id":"google-oauth2|106"})");
  const auto token = make_secret("aa.bb-cc_dd");
  expect({CallKind::kRefresh, {}, token}, "PATCH", "/api/v1/headless/access_token/refresh",
         R"({"refresh_token":"aa.bb-cc_dd"})");
  expect({CallKind::kRevokeRefresh, {}, token}, "POST", "/api/v1/headless/refresh_token/revoke",
         R"({"refresh_token":"aa.bb-cc_dd"})");
  expect({CallKind::kRevokeAccess, {}, token}, "POST", "/api/v1/headless/access_token/revoke",
         R"({"access_token":"aa.bb-cc_dd"})");
}

TEST(Encode, EscapesWhatWouldBreakOutOfTheString) {
  MemberKey key{SelectorKind::kSsoUserId, "a\"b\\c\n\x01 \xc3\xa9/"};
  expect({CallKind::kIssue, key, nullptr}, "POST", "/api/v1/headless/auth_token",
         "{\"sso_user_id\":\"a\\\"b\\\\c\\u000a\\u0001 \xc3\xa9/\"}");
}

TEST(EncodeDeathTest, ACallAboutNoTokenIsABug) {
  EXPECT_DEATH(encode({CallKind::kRefresh, {}, nullptr}), "token");
}

}  // namespace
}  // namespace rota
