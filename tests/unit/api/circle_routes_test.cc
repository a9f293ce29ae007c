#include "api/circle_routes.h"

#include "unit/api/circle_box.h"

namespace rota {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using test::kCron;
using test::kLogin;
using test::kRefresh;
using test::kStranger;
using test::Reply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kMemberNotFound =
    "Community member not found. Please provide a valid SSO User ID, community member ID, or "
    "email.";

class CircleRoutesTest : public test::CircleBox {};

TEST_F(CircleRoutesTest, ALoginHasCirclesSixKeysInItsOrder) {
  const Reply reply = ask(kLogin, R"({"email":"Ada@example.com"})");
  EXPECT_EQ(reply.status, 200);
  std::vector<std::string> keys;
  for (const auto& [key, value] : reply.body) keys.emplace_back(key);
  EXPECT_THAT(keys, ElementsAre("access_token", "refresh_token", "access_token_expires_at",
                                "refresh_token_expires_at", "community_member_id", "community_id"));
  EXPECT_EQ(reply.text("access_token"), "one");
  EXPECT_EQ(reply.text("access_token_expires_at"), format_iso8601(clock.now().wall + hours{1}));
  EXPECT_EQ(reply.text("refresh_token_expires_at"), format_iso8601(clock.now().wall + days{30}));
  EXPECT_EQ(reply.body.at("community_member_id").as_int64(), 42);
  EXPECT_EQ(reply.body.at("community_id").as_int64(), 7);
  EXPECT_THAT(reply.head, HasSubstr("Cache-Control: no-store\r\n"));
}

TEST_F(CircleRoutesTest, ALoginOfALiveMemberIsNoCallAndNoWrite) {
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 200);
  EXPECT_THAT(waited, IsEmpty());
  EXPECT_THAT(tokens.operations, IsEmpty());
  EXPECT_THAT(tokens.raised, IsEmpty());
  EXPECT_EQ(tokens.used.size(), 1U);
  EXPECT_EQ(tokens.fetched.size(), 1U) << "for the audit trail";
}

TEST_F(CircleRoutesTest, AWaitEndsWithAPairToo) {
  publish(42, "stale", Duration{0});
  on_wait = [this] {
    publish(42, "fresh");
    return WaitAnswer{.result = WaitResult::kServe};
  };
  const Reply reply = ask(kLogin, R"({"community_member_id":42})");
  EXPECT_EQ(reply.text("access_token"), "fresh");
  EXPECT_EQ(refresh(reply.text("refresh_token")).text("access_token"), "fresh");
}

TEST_F(CircleRoutesTest, ALoginEnrolsIfTheClientMay) {
  policy = AccessPolicy{0,
                        {{.holder = Grant::Holder::kUser,
                          .id = 33,
                          .name = "www-data",
                          .may = {Right::kFetch, Right::kEnrol},
                          .enrol_tags = {"web"},
                          .all_members = true,
                          .tags = {},
                          .members = {}}}};
  on_wait = [this] {
    publish(43, "new");
    return WaitAnswer{.result = WaitResult::kServe};
  };
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":43})").text("access_token"), "new");
  ASSERT_EQ(waited.size(), 1U);
  ASSERT_NE(waited[0].enrol, nullptr);
  EXPECT_EQ(waited[0].enrol->client, "user:www-data");
  EXPECT_EQ(waited[0].enrol->key.text(), "id:43");
  EXPECT_THAT(waited[0].enrol->tags, ElementsAre("web"));
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 200);
  EXPECT_EQ(waited.size(), 1U) << "a member whose token lives needs no enrolment";
  on_wait = [] { return WaitAnswer{.result = WaitResult::kLimited, .retry_after = seconds{9}}; };
  const Reply limited = ask(kLogin, R"({"community_member_id":44})");
  EXPECT_EQ(limited.status, 503);
  EXPECT_THAT(limited.head, HasSubstr("Retry-After: 9\r\n"));
}

TEST_F(CircleRoutesTest, ErrorsOfALoginAreCirclesWords) {
  const std::string not_found(kMemberNotFound);
  EXPECT_EQ(ask(kLogin, R"({"email":"who@example.com"})").error(),
            "404 member_unknown: " + not_found);
  EXPECT_EQ(ask(kLogin, R"({"email":"no address"})").error(), "404 member_unknown: " + not_found);
  EXPECT_EQ(ask(kLogin, "{}").error(), "404 member_unknown: " + not_found);
  EXPECT_EQ(ask(kLogin, "").error(), "404 member_unknown: " + not_found);
  const std::pair<MemberState, std::string> states[] = {
      {MemberState::kRetiring, "member_retired"},
      {MemberState::kRetired, "member_retired"},
      {MemberState::kBlocked, "member_blocked"},
      {MemberState::kUnknown, "member_unknown"},
  };
  for (const auto& [state, code] : states) {
    tokens.set_state(42, state);
    const Reply reply = ask(kLogin, R"({"community_member_id":42})");
    EXPECT_EQ(reply.error(), "404 " + code + ": " + not_found);
    EXPECT_TRUE(reply.body.at("error_details").as_object().empty());
    EXPECT_FALSE(reply.body.at("success").as_bool());
  }
}

TEST_F(CircleRoutesTest, ALoginNamesExactlyOneMember) {
  const Reply reply = ask(kLogin, R"({"email":"ada@example.com","community_member_id":42})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.text("code"), "bad_request");
  EXPECT_EQ(ask(kLogin, "[]").status, 400);
}

TEST_F(CircleRoutesTest, WhatCircleHasNoWordForIs503WithRetryAfter) {
  tokens.set_state(42, MemberState::kMismatched);
  const Reply mismatched = ask(kLogin, R"({"community_member_id":42})");
  EXPECT_EQ(mismatched.status, 503);
  EXPECT_EQ(mismatched.text("code"), "member_mismatched");
  EXPECT_THAT(mismatched.head, HasSubstr("Retry-After: "));
  tokens.set_state(42, MemberState::kActive);
  publish(42, "stale", Duration{0});
  const Reply none = ask(kLogin, R"({"community_member_id":42})");
  EXPECT_EQ(none.status, 503);
  EXPECT_THAT(none.head, HasSubstr("Retry-After: 3\r\n"));
}

TEST_F(CircleRoutesTest, ACommunityThatIsNotEligibleIsCircles403) {
  const std::string words =
      "403 community_not_eligible: Your community isn't eligible for headless API access. Please "
      "upgrade or contact support";
  const std::string handle = log_in();
  tokens.refused_community = true;
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 200) << "its token lives";
  EXPECT_EQ(refresh(handle).status, 200);
  publish(42, "stale", Duration{0});
  const Reply reply = ask(kLogin, R"({"community_member_id":42})");
  EXPECT_EQ(reply.error(), words);
  EXPECT_TRUE(reply.body.at("error_details").as_object().empty());
  EXPECT_THAT(reply.head, Not(HasSubstr("Retry-After")));
  EXPECT_EQ(refresh(handle).error(), words);
  tokens.refused_community = false;
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 503);
}

TEST_F(CircleRoutesTest, EveryErrorHasDetails) {
  const auto details = [](const Reply& reply, int status) {
    EXPECT_EQ(reply.status, status);
    return reply.body.contains("error_details") && reply.body.at("error_details").is_object();
  };
  EXPECT_TRUE(details(ask(kLogin, "[]"), 400));
  EXPECT_TRUE(details(ask("GET /api/v1/headless/auth_token", ""), 405));
  EXPECT_TRUE(details(ask(kLogin, R"({"community_member_id":42})", kStranger), 403));
  publish(42, "stale", Duration{0});
  EXPECT_TRUE(details(ask(kLogin, R"({"community_member_id":42})"), 503));
}

TEST_F(CircleRoutesTest, P11WithoutAGrantThereIsNothing) {
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})", kStranger).status, 403);
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":43})", kStranger).status, 403);
  EXPECT_EQ(refresh(log_in(), kStranger).status, 404) << "the handle is another holder's";
}

TEST_F(CircleRoutesTest, ARefreshGivesTheTokenInForce) {
  const std::string handle = log_in();
  publish(42, "two");
  const Reply reply = refresh(handle);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text("access_token"), "two");
  EXPECT_EQ(reply.body.size(), 2U);
  EXPECT_EQ(reply.text("access_token_expires_at"), format_iso8601(clock.now().wall + hours{1}));
  EXPECT_THAT(waited, IsEmpty());
}

TEST_F(CircleRoutesTest, ARefreshOfThePresentTokenCountsAsRefused) {
  const std::string handle = log_in();
  on_wait = [this] {
    publish(42, "two");
    return WaitAnswer{.result = WaitResult::kServe};
  };
  EXPECT_EQ(refresh(handle).text("access_token"), "two");
  ASSERT_EQ(waited.size(), 1U);
  EXPECT_EQ(waited[0].refused, fingerprint_of("one"));
  EXPECT_EQ(refresh(handle).text("access_token"), "two") << "not twice a minute";
  EXPECT_EQ(waited.size(), 1U);
}

TEST_F(CircleRoutesTest, IfCircleHasNoOtherTokenThePresentOneIsBetterThanNone) {
  const std::string handle = log_in();
  EXPECT_EQ(refresh(handle).text("access_token"), "one");
  EXPECT_EQ(waited.size(), 1U);
}

TEST_F(CircleRoutesTest, TheThirdLoginWithinAMinuteIsADoubt) {
  log_in();
  log_in();
  EXPECT_THAT(waited, IsEmpty());
  on_wait = [this] {
    publish(42, "two");
    return WaitAnswer{.result = WaitResult::kServe};
  };
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").text("access_token"), "two");
  ASSERT_EQ(waited.size(), 1U);
  EXPECT_EQ(waited[0].refused, fingerprint_of("one"));
}

// An app that asks on every page view, for an hour, with tokens that live an hour.
TEST_F(CircleRoutesTest, AnAppThatLogsInAtEachPageViewCostsFourCallsAnHour) {
  for (int view = 0; view < 1'800; ++view) {
    EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 200);
    clock.advance(seconds{2});
    publish(42, "one");
  }
  EXPECT_EQ(waited.size(), 4U);
}

TEST_F(CircleRoutesTest, WhileTheBudgetIsShortThereIsNoDoubt) {
  tokens.short_budget = true;
  for (int time = 0; time < 5; ++time) log_in();
  EXPECT_THAT(waited, IsEmpty());
}

// As Circle's description has it for each of the two.
TEST_F(CircleRoutesTest, ARefreshTokenOfAnotherTypeIsNoText) {
  for (const char* value : {"5", "7.5", "true", "[]", "{}"}) {
    const std::string body = R"({"refresh_token":)" + std::string(value) + "}";
    EXPECT_EQ(ask(test::kRevokeRefresh, body).error(), "404 bad_request: Invalid refresh token.");
    EXPECT_EQ(ask(kRefresh, body).error(), "404 bad_request: Refresh token not found.");
  }
  const std::string body = R"({"refresh_token":"Bearer x"})";
  EXPECT_EQ(ask(test::kRevokeRefresh, body).error(), "404 token_unknown: Refresh token not found.");
  EXPECT_EQ(ask(kRefresh, body).error(), "404 token_unknown: Refresh token not found.");
}

TEST_F(CircleRoutesTest, ErrorsOfARefreshAreCirclesWords) {
  EXPECT_EQ(ask(kRefresh, "{}").error(),
            "404 bad_request: Oops! Missing parameter. Please try again later.");
  const std::string not_found = "404 token_unknown: Refresh token not found.";
  EXPECT_EQ(refresh("rota1_nonsense").error(), not_found);
  EXPECT_EQ(refresh(log_in(kCron)).error(), not_found) << "another holder's";
  const std::string handle = log_in();
  clock.advance(days{30} - seconds{1});
  publish(42, "two");
  EXPECT_EQ(refresh(handle).status, 200);
  clock.advance(seconds{1});
  EXPECT_EQ(refresh(handle).error(),
            "401 token_expired: The refresh token is expired. Please generate/get new auth token.");
}

}  // namespace
}  // namespace rota
