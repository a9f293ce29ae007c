// The replies of the OpenAPI description, one by one, and the lives of tokens.

#include "sandbox/circle.h"

#include <gmock/gmock.h>
#include <sodium.h>

#include "unit/sandbox/fixture.h"

namespace rota::sandbox {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

std::string decoded_part(std::string_view jwt, std::size_t part) {
  for (; part > 0; --part) jwt.remove_prefix(jwt.find('.') + 1);
  const std::string_view text = jwt.substr(0, jwt.find('.'));
  std::string out(text.size(), '\0');
  std::size_t size = 0;
  EXPECT_EQ(sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                              text.size(), nullptr, &size, nullptr,
                              sodium_base64_VARIANT_URLSAFE_NO_PADDING),
            0);
  out.resize(size);
  return out;
}

TEST_F(CircleTest, IssueGivesAPairWithExpiriesAndIds) {
  const Reply reply = issue();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "application/json; charset=utf-8");
  const auto body = object_of(reply);
  EXPECT_EQ(body.size(), 6U);
  EXPECT_THAT(text_of(body, "access_token"),
              MatchesRegex(R"([A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+)"));
  EXPECT_EQ(text_of(body, "refresh_token").size(), 43U);
  EXPECT_EQ(text_of(body, "access_token_expires_at"), "2024-03-20T17:54:47.274Z");
  EXPECT_EQ(text_of(body, "refresh_token_expires_at"), "2024-04-19T16:54:47.000Z");
  EXPECT_EQ(body.at("community_member_id"), 1);
  EXPECT_EQ(body.at("community_id"), 1);
}

TEST_F(CircleTest, AccessTokenCarriesCirclesClaims) {
  const std::string jwt = issued_pair(R"({"sso_user_id":"sso|2"})").access;
  EXPECT_EQ(decoded_part(jwt, 0), R"({"alg":"RS256"})");
  EXPECT_THAT(
      decoded_part(jwt, 1),
      MatchesRegex(
          R"(\{"community_id":1,"community_member_id":2,"sso_user_id":"sso\|2",)"
          R"("exp":1710957287,"jti":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",)"
          R"("type":"headless_member_token"\})"));
  EXPECT_EQ(decoded_part(jwt, 2).size(), 256U);
  EXPECT_GT(jwt.size(), 540U) << "as long as Circle's";
  EXPECT_LT(jwt.size(), 600U);
}

TEST_F(CircleTest, EachSelectorFindsItsMember) {
  EXPECT_EQ(object_of(issue(R"({"community_member_id":2})")).at("community_member_id"), 2);
  EXPECT_EQ(object_of(issue(R"({"email":"member3@example.com"})")).at("community_member_id"), 3);
  EXPECT_EQ(object_of(issue(R"({"sso_user_id":"sso|1"})")).at("community_member_id"), 1);
}

TEST_F(CircleTest, UnknownMemberIs404AndNoBreach) {
  for (const char* body : {R"({"community_member_id":4})", R"({"email":"nobody@example.com"})",
                           R"({"sso_user_id":"sso|4"})"}) {
    expect_reply(
        issue(body), 404,
        R"({"success":false,"message":"Community member not found. Please provide a valid )"
        R"(SSO User ID, community member ID, or email.","error_details":{}})");
  }
  EXPECT_EQ(circle_.stats().violations(), 0U);
}

TEST_F(CircleTest, RefreshGivesAnAccessTokenAlone) {
  const Pair pair = issued_pair();
  advance(minutes{10});
  const Reply reply = refresh(pair.refresh);
  EXPECT_EQ(reply.status, 200);
  const auto body = object_of(reply);
  EXPECT_EQ(body.size(), 2U);
  EXPECT_NE(text_of(body, "access_token"), pair.access);
  EXPECT_EQ(text_of(body, "access_token_expires_at"), "2024-03-20T18:04:47.274Z");
  EXPECT_EQ(state_of(pair.access), "live") << "a refresh takes nothing away";
}

TEST_F(CircleTest, RefreshOfUnknownTokenIs404) {
  const std::string access = issued_pair().access;
  const std::string_view body =
      R"({"success":false,"message":"Refresh token not found.","error_details":{}})";
  expect_reply(refresh("no-such-token"), 404, body);
  expect_reply(refresh(access), 404, body);
}

TEST_F(CircleTest, RefreshTokenIsExpiredFromItsEndOn) {
  const Pair pair = issued_pair();
  advance(hours{24 * 30} - Duration{275});  // its end has whole seconds
  EXPECT_EQ(refresh(pair.refresh).status, 200);
  EXPECT_EQ(state_of(pair.refresh), "live");
  advance(Duration{1});
  const std::string_view body =
      R"({"success":false,"message":"The refresh token is expired. Please generate/get new )"
      R"(auth token.","error_details":{}})";
  expect_reply(refresh(pair.refresh), 401, body);
  expect_reply(revoke_refresh(pair.refresh), 401, body);
  EXPECT_EQ(state_of(pair.refresh), "expired");
}

TEST_F(CircleTest, RevokedRefreshTokenIsNotFoundAndLeavesAccessTokensAlive) {
  const Pair pair = issued_pair();
  const Reply reply = revoke_refresh(pair.refresh);
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.body, "");
  const std::string_view body =
      R"({"success":false,"message":"Refresh token not found.","error_details":{}})";
  expect_reply(revoke_refresh(pair.refresh), 404, body);
  expect_reply(refresh(pair.refresh), 404, body);
  EXPECT_EQ(state_of(pair.refresh), "revoked");
  EXPECT_EQ(state_of(pair.access), "live");
}

TEST_F(CircleTest, RevokingAnAccessTokenTwiceIsNotFound) {
  const Pair pair = issued_pair();
  EXPECT_EQ(revoke_access(pair.access).status, 204);
  EXPECT_EQ(state_of(pair.access), "revoked");
  expect_reply(revoke_access(pair.access), 422,
               R"({"success":false,"message":"The access token not found.","error_details":{}})");
  EXPECT_EQ(state_of(pair.refresh), "live");
}

TEST_F(CircleTest, RevokingWhatIsNoAccessTokenIsInvalid) {
  const std::string refresh_token = issued_pair().refresh;
  const std::string_view body =
      R"({"success":false,"message":"The access token is invalid.","error_details":{}})";
  expect_reply(revoke_access("e30.e30.e30"), 422, body);
  expect_reply(revoke_access(refresh_token), 422, body);
}

TEST_F(CircleTest, AccessTokenIsExpiredFromItsEndOnEvenIfRevokedBefore) {
  const Pair pair = issued_pair();
  const std::string other = refreshed(pair.refresh);
  advance(hours{1} - Duration{1});
  EXPECT_EQ(revoke_access(pair.access).status, 204);
  advance(Duration{1});
  const std::string_view body =
      R"({"success":false,"message":"The access token is expired.","error_details":{}})";
  expect_reply(revoke_access(other), 422, body);
  expect_reply(revoke_access(pair.access), 422, body);
  EXPECT_EQ(state_of(other), "expired");
  EXPECT_EQ(state_of(pair.access), "revoked");
}

TEST_F(CircleTest, RevokingForAMemberOrCommunityThatIsGone) {
  const Pair pair = issued_pair();
  ASSERT_EQ(ask("DELETE", "/_sandbox/members/1").status, 200);
  expect_reply(revoke_access(pair.access), 422,
               R"({"success":false,"message":"Community member associated with the access token )"
               R"(not found.","error_details":{}})");
  expect_reply(refresh(pair.refresh), 404,
               R"({"success":false,"message":"Refresh token not found.","error_details":{}})");
  const Pair second = issued_pair(R"({"community_member_id":2})");
  set(R"({"community_id":7})");
  expect_reply(revoke_access(second.access), 422,
               R"({"success":false,"message":"Community associated with the access token not )"
               R"(found.","error_details":{}})");
  EXPECT_EQ(object_of(issue(R"({"community_member_id":2})")).at("community_id"), 7);
}

// What Circle may do one way or the other, each at the turn of an option.
TEST_F(CircleTest, ARemovedMembersTokenIsRefusedInOneOfThreeWays) {
  const Pair pair = issued_pair();
  ASSERT_EQ(ask("DELETE", "/_sandbox/members/1").status, 200);
  const std::string_view gone =
      R"({"success":false,"message":"Community member associated with the access token )"
      R"(not found.","error_details":{}})";
  expect_reply(revoke_access(pair.access), 422, gone);
  set(R"({"removed_mode":"401"})");
  expect_reply(revoke_access(pair.access), 401, gone);
  set(R"({"removed_mode":"not_found"})");
  expect_reply(revoke_access(pair.access), 422,
               R"({"success":false,"message":"The access token not found.","error_details":{}})");
}

TEST_F(CircleTest, OtherWordsKeepStatusAndShape) {
  set(R"({"messages":"other"})");
  expect_reply(issue(R"({"community_member_id":4})"), 404,
               R"({"success":false,"message":"Sorry, that did not work out.","error_details":{}})");
  EXPECT_EQ(issue().status, 200);
}

TEST_F(CircleTest, LifetimesMayBeSkewedOrNothing) {
  set(R"({"expiry_skew":"-90s"})");
  const Reply reply = issue();
  EXPECT_EQ(text_of(object_of(reply), "access_token_expires_at"), "2024-03-20T17:53:17.274Z");
  EXPECT_EQ(text_of(object_of(reply), "refresh_token_expires_at"), "2024-04-19T16:53:17.000Z");
  set(R"({"expiry_skew":"0s","access_ttl":"0s"})");
  EXPECT_EQ(state_of(issued_pair().access), "expired") << "dead on arrival";
}

TEST_F(CircleTest, AnAdminTokenIsRefusedInCirclesWordsAndNamedInTheStats) {
  const Reply reply = call({.method = "POST",
                            .target = kIssuePath,
                            .authorization = "Bearer sandbox-admin-token",
                            .content_type = "application/json",
                            .body = R"({"community_member_id":1})"})
                          .reply;
  expect_reply(
      reply, 401,
      R"({"success":false,"message":"Your account could not be authenticated.","error_details":{}})");
  EXPECT_THAT(ask("GET", "/_sandbox/stats").body, HasSubstr("an Admin API token as bearer"));
}

TEST_F(CircleTest, IneligibleCommunityIsForbiddenEverything) {
  const Pair pair = issued_pair();
  ASSERT_EQ(ask("POST", "/_sandbox/eligible", R"({"eligible":false})").status, 200);
  const std::string_view body =
      R"({"success":false,"message":"Your community isn't eligible for headless API access. )"
      R"(Please upgrade or contact support","error_details":{}})";
  expect_reply(issue(), 403, body);
  expect_reply(refresh(pair.refresh), 403, body);
  expect_reply(revoke_access(pair.access), 403, body);
  expect_reply(revoke_refresh(pair.refresh), 403, body);
  EXPECT_EQ(state_of(pair.access), "live");
  EXPECT_EQ(state_of(pair.refresh), "live");
  ASSERT_EQ(ask("POST", "/_sandbox/eligible", R"({"eligible":true})").status, 200);
  EXPECT_EQ(issue().status, 200);
}

TEST_F(CircleTest, SecondIssueReturnsTheSameRefreshTokenWhileItLives) {
  const Pair first = issued_pair();
  advance(hours{1});
  const auto again = object_of(issue(R"({"email":"member1@example.com"})"));
  EXPECT_EQ(text_of(again, "refresh_token"), first.refresh);
  EXPECT_EQ(text_of(again, "refresh_token_expires_at"), "2024-04-19T16:54:47.000Z");
  EXPECT_NE(text_of(again, "access_token"), first.access);
  EXPECT_NE(issued_pair(R"({"community_member_id":2})").refresh, first.refresh);

  ASSERT_EQ(revoke_refresh(first.refresh).status, 204);
  const std::string second = issued_pair().refresh;
  EXPECT_NE(second, first.refresh);
  advance(hours{24 * 30});
  EXPECT_NE(issued_pair().refresh, second);
}

TEST_F(CircleTest, IssueModeNewGivesAnotherRefreshTokenAndKeepsTheOld) {
  set(R"({"issue_mode":"new"})");
  const Pair first = issued_pair();
  const Pair second = issued_pair();
  EXPECT_NE(first.refresh, second.refresh);
  EXPECT_EQ(refresh(first.refresh).status, 200);
  EXPECT_EQ(refresh(second.refresh).status, 200);
  set(R"({"issue_mode":"same"})");
  EXPECT_EQ(issued_pair().refresh, second.refresh);
  ASSERT_EQ(revoke_refresh(second.refresh).status, 204);
  EXPECT_EQ(issued_pair().refresh, first.refresh) << "the older one is the one that lives";
}

TEST_F(CircleTest, StickyRefreshRepeatsTheNewestTokenUntilItsEnd) {
  set(R"({"refresh_mode":"sticky"})");
  const Pair pair = issued_pair();
  advance(hours{1} - Duration{1});
  const auto early = object_of(refresh(pair.refresh));
  EXPECT_EQ(text_of(early, "access_token"), pair.access);
  EXPECT_EQ(text_of(early, "access_token_expires_at"), "2024-03-20T17:54:47.274Z");
  advance(Duration{1});
  const std::string next = refreshed(pair.refresh);
  EXPECT_NE(next, pair.access);
  EXPECT_EQ(refreshed(pair.refresh), next);
  ASSERT_EQ(revoke_access(next).status, 204);
  EXPECT_NE(refreshed(pair.refresh), next) << "a revoked token is not handed out again";
}

TEST_F(CircleTest, RefreshRotationBringsANewRefreshTokenAndTheOldOneLivesOn) {
  set(R"({"refresh_rotation":"on"})");
  const Pair pair = issued_pair();
  const auto reply = object_of(refresh(pair.refresh));
  const std::string next = text_of(reply, "refresh_token");
  EXPECT_NE(next, pair.refresh);
  EXPECT_EQ(state_of(next), "live");
  EXPECT_EQ(state_of(pair.refresh), "live");
  EXPECT_NE(refreshed(next), pair.access);
}

TEST_F(CircleTest, TheCaseOfAnAddressCountsUnlessItIsIgnored) {
  const std::string upper = R"({"email":"Member1@Example.COM"})";
  const auto id_of = [this](const std::string& body) {
    return object_of(issue(body)).at("community_member_id").as_int64();
  };
  EXPECT_EQ(issue(upper).status, 404);
  ask("POST", "/_sandbox/members", R"({"id":9,"email":"Member1@Example.COM"})");
  EXPECT_EQ(id_of(upper), 9) << "two members";
  EXPECT_EQ(id_of(R"({"email":"member1@example.com"})"), 1);
  set(R"({"email_case":"ignored"})");
  EXPECT_EQ(id_of(R"({"email":"member1@example.com"})"), 9) << "whoever got it last";
  EXPECT_EQ(id_of(R"({"email":"member2@EXAMPLE.com"})"), 2);
  ASSERT_EQ(ask("DELETE", "/_sandbox/members/9").status, 200);
  EXPECT_EQ(issue(upper).status, 404);
}

TEST_F(CircleTest, ClockOffsetMovesExpiriesAndStates) {
  const Pair pair = issued_pair();
  set(R"({"clock_offset":"-90s"})");
  EXPECT_EQ(text_of(object_of(issue()), "access_token_expires_at"), "2024-03-20T17:53:17.274Z");
  set(R"({"clock_offset":"1h"})");
  EXPECT_EQ(state_of(pair.access), "expired");
  set(R"({"clock_offset":"0s"})");
  EXPECT_EQ(state_of(pair.access), "live");
}

TEST_F(CircleTest, TokensAreDeliveredOnlyByAReplyWrittenInFull) {
  const Request request{"POST", kIssuePath, kBearer, "application/json",
                        R"({"community_member_id":1})"};
  const Exchange lost = circle_.begin(request, now_);
  ASSERT_EQ(lost.tokens.size(), 2U);
  EXPECT_FALSE(circle_.ledger().at(lost.tokens[0]).delivered);
  circle_.end(lost, false);
  EXPECT_FALSE(circle_.ledger().at(lost.tokens[0]).delivered);
  const Exchange kept = call(request);
  EXPECT_TRUE(circle_.ledger().at(kept.tokens[0]).delivered);
  EXPECT_EQ(kept.tokens[1], lost.tokens[1]);
  EXPECT_TRUE(circle_.ledger().at(kept.tokens[1]).delivered);
  EXPECT_FALSE(circle_.ledger().at(lost.tokens[0]).delivered);
}

TEST_F(CircleTest, LogLineNamesTokensByFingerprintOnly) {
  const Pair pair = issued_pair();
  const std::string body = field("refresh_token", pair.refresh);
  const Request request{"PATCH", kRefreshPath, kBearer, "application/json", body};
  const Exchange exchange = call(request);
  const std::string line = describe(request, exchange, circle_.ledger());
  EXPECT_THAT(line, MatchesRegex("PATCH /api/v1/headless/access_token/refresh member=1 "
                                 "sent_refresh=[0-9a-f]{16} 200 access=[0-9a-f]{16}"));
}

}  // namespace
}  // namespace rota::sandbox
