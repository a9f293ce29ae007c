#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "circle/classify.h"
#include "tests/unit/circle/replies.h"

namespace rota {
namespace {

using replies::reply;

constexpr auto kAllKinds = {CallKind::kIssue, CallKind::kRefresh, CallKind::kRevokeRefresh,
                            CallKind::kRevokeAccess};

Outcome outcome(CallKind kind, const HttpReply& r) { return classify(kind, r, WallTime{}).outcome; }

bool is_unclear(const Outcome& outcome) {
  const auto* transient = std::get_if<Transient>(&outcome);
  return transient != nullptr && transient->reason == TransientReason::kUnclearReply &&
         !transient->why.empty();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ClassifySuccess, AWholePairIsIssued) {
  for (const int status : {200, 201}) {
    const Outcome result = outcome(CallKind::kIssue, reply(status, replies::pair_json()));
    const auto* issued = std::get_if<Issued>(&result);
    ASSERT_NE(issued, nullptr);
    EXPECT_EQ(issued->pair.access.value->reveal(), replies::kAccess);
    EXPECT_EQ(issued->pair.access.expires_at, parse_iso8601("2022-01-01T00:00:00Z"));
    EXPECT_EQ(issued->pair.refresh->reveal(), replies::kRefresh);
    EXPECT_EQ(issued->pair.refresh_expires_at, parse_iso8601("2022-02-01T00:00:00.5Z"));
    EXPECT_EQ(issued->pair.community_member_id, 7);
    EXPECT_EQ(issued->pair.community_id, 3);
  }
}

// As OAuth 2.1 has it. Circle does not, yet.
TEST(ClassifySuccess, P3ANewRefreshTokenOfARefreshIsTaken) {
  const std::string with_end = replaced(
      replies::access_json(), "}",
      R"(,"refresh_token":"new-refresh","refresh_token_expires_at":"2022-02-01T00:00:00.5Z"})");
  const std::string without_end =
      replaced(replies::access_json(), "}", R"(,"refresh_token":"new-refresh"})");
  for (const std::string& body : {with_end, without_end}) {
    const Outcome result = outcome(CallKind::kRefresh, reply(200, body));
    const auto* refreshed = std::get_if<Refreshed>(&result);
    ASSERT_NE(refreshed, nullptr) << body;
    ASSERT_TRUE(refreshed->refresh);
    EXPECT_EQ(refreshed->refresh->value->reveal(), "new-refresh");
    EXPECT_EQ(refreshed->refresh->expires_at.has_value(), body == with_end);
  }
  const Outcome plain = outcome(CallKind::kRefresh, reply(200, replies::access_json()));
  EXPECT_FALSE(std::get<Refreshed>(plain).refresh);
}

TEST(ClassifySuccess, AnAccessTokenIsRefreshed) {
  const Outcome result = outcome(CallKind::kRefresh, reply(200, replies::access_json()));
  const auto* refreshed = std::get_if<Refreshed>(&result);
  ASSERT_NE(refreshed, nullptr);
  EXPECT_EQ(refreshed->access.value->reveal(), replies::kAccess);
  EXPECT_EQ(refreshed->access.expires_at, parse_iso8601("2022-01-01T00:00:00Z"));
}

TEST(ClassifySuccess, TimestampsMayLackMilliseconds) {
  const auto body = replaced(replies::access_json(), "00.000Z", "00Z");
  EXPECT_TRUE(std::holds_alternative<Refreshed>(outcome(CallKind::kRefresh, reply(200, body))));
}

TEST(ClassifySuccess, ContentTypeAndUnknownFieldsDoNotMatter) {
  const auto body = replaced(replies::pair_json(), "{", R"({"new":{"a":[1,null]},)");
  EXPECT_TRUE(std::holds_alternative<Issued>(outcome(CallKind::kIssue, reply(200, body, ""))));
}

// P5: a pair with anything missing or impossible is no pair.
TEST(ClassifySuccess, P5AnIncompletePairIsUnclear) {
  const std::string good = replies::pair_json();
  const std::string access(replies::kAccess);
  const std::string refresh(replies::kRefresh);
  for (const std::string& body : {
           replaced(good, "\"access_token\"", "\"token\""),
           replaced(good, "\"refresh_token\"", "\"token\""),
           replaced(good, "\"access_token_expires_at\"", "\"x\""),
           replaced(good, "\"refresh_token_expires_at\"", "\"x\""),
           replaced(good, "\"community_member_id\"", "\"x\""),
           replaced(good, "\"community_id\"", "\"x\""),
           replaced(good, "\"" + access + "\"", "null"),
           replaced(good, access, ""),
           replaced(good, access, "has space"),
           replaced(good, access, "line\\r\\nX-Evil: 1"),
           replaced(good, access, "nul\\u0000"),
           replaced(good, access, "caf\xc3\xa9"),
           replaced(good, access, std::string(8 * 1024 + 1, 'a')),
           replaced(good, refresh, ""),
           replaced(good, "2022-01-01T00:00:00.000Z", "1640995200"),
           replaced(good, "2022-01-01T00:00:00.000Z", "2022-01-01"),
           replaced(good, "2022-01-01T00:00:00.000Z", "2022-13-01T00:00:00.000Z"),
           replaced(good, ":7", ":0"),
           replaced(good, ":7", ":-1"),
           replaced(good, ":7", ":7.5"),
           replaced(good, ":7", ":\"7\""),
           replaced(good, ":7", ":18446744073709551615"),
           replaced(good, ":3", ":0"),
       }) {
    EXPECT_TRUE(is_unclear(outcome(CallKind::kIssue, reply(200, body)))) << body;
  }
  const auto longest = replaced(good, access, std::string(8 * 1024, 'a'));
  EXPECT_TRUE(std::holds_alternative<Issued>(outcome(CallKind::kIssue, reply(200, longest))));
}

TEST(ClassifySuccess, P3ReadsTimesInEveryFormOfRfc3339) {
  const std::string good = replies::pair_json();
  for (const auto* text : {"2022-01-01T00:00:00.000z", "2022-01-01t00:00:00Z",
                           "2022-01-01T01:00:00.000+01:00", "2021-12-31T16:00:00-08:00"}) {
    const auto result =
        outcome(CallKind::kIssue, reply(200, replaced(good, "2022-01-01T00:00:00.000Z", text)));
    const auto* pair = std::get_if<Issued>(&result);
    ASSERT_NE(pair, nullptr) << text;
    EXPECT_EQ(pair->pair.access.expires_at, parse_iso8601("2022-01-01T00:00:00Z")) << text;
  }
}

// P5: what is not Circle's JSON with a token in it discards nothing and acknowledges nothing.
TEST(ClassifySuccess, P5AnUnclear200IsUnclearForEveryCall) {
  const std::string pair = replies::pair_json();
  for (const CallKind kind : kAllKinds) {
    for (const std::string& body :
         {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
          std::string(R"({"status":"unauthorized"})"), std::string(replies::kHtml502),
          pair.substr(0, pair.size() - 1), pair.substr(0, pair.size() / 2), pair + "}",
          "[" + pair + "]", replies::error_json("Refresh token not found."),
          replies::error_json("The access token is expired.")}) {
      EXPECT_TRUE(is_unclear(outcome(kind, reply(200, body)))) << name_of(kind) << body;
    }
  }
}

TEST(ClassifySuccess, P5Only204AcknowledgesARevocation) {
  for (const CallKind kind : {CallKind::kRevokeRefresh, CallKind::kRevokeAccess}) {
    EXPECT_TRUE(std::holds_alternative<Revoked>(outcome(kind, reply(204, ""))));
    EXPECT_TRUE(std::holds_alternative<Revoked>(outcome(kind, reply(204, "", ""))));
    for (const int status : {200, 201, 202, 205, 206, 301, 302, 304, 307}) {
      EXPECT_TRUE(is_unclear(outcome(kind, reply(status, "{}")))) << status;
      EXPECT_TRUE(is_unclear(outcome(kind, reply(status, R"({"success":true})")))) << status;
    }
  }
  for (const CallKind kind : {CallKind::kIssue, CallKind::kRefresh}) {
    EXPECT_TRUE(is_unclear(outcome(kind, reply(204, ""))));
    EXPECT_TRUE(is_unclear(outcome(kind, reply(202, replies::pair_json()))));
    EXPECT_TRUE(is_unclear(outcome(kind, reply(302, replies::pair_json()))));
  }
}

TEST(ClassifySuccess, TheDateComesWithEveryReply) {
  HttpReply r = reply(500, "");
  EXPECT_EQ(classify(CallKind::kIssue, r, WallTime{}).server_date, std::nullopt);
  r.date = " Sun, 06 Nov 1994 08:49:37 GMT ";
  EXPECT_EQ(classify(CallKind::kIssue, r, WallTime{}).server_date,
            parse_iso8601("1994-11-06T08:49:37Z"));
  r.date = "yesterday";
  EXPECT_EQ(classify(CallKind::kIssue, r, WallTime{}).server_date, std::nullopt);
}

}  // namespace
}  // namespace rota
