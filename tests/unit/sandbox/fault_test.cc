#include "sandbox/fault.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/sandbox/fixture.h"

namespace rota::sandbox {
namespace {

TEST(ParseFault, ReadsEndpointKindAndRate) {
  const auto rule = parse_fault("revoke_access:drop_after:0.25");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->endpoint, Endpoint::kRevokeAccess);
  EXPECT_EQ(rule->kind, FaultKind::kDropAfter);
  EXPECT_EQ(rule->rate, 0.25);
  EXPECT_EQ(parse_fault("any:hang:1")->endpoint, std::nullopt);
}

TEST(ParseFault, RefusesEverythingElse) {
  for (const char* text : {"", "issue", "issue:hang", "issue:hang:", "issue:hang:1.1",
                           "issue:hang:-0.1", "issue:hang:nan", "issue:hang:1x", "issue:nothing:1",
                           "other:hang:1", "nowhere:hang:1", "issue:hang:x:1"}) {
    EXPECT_FALSE(parse_fault(text)) << text;
  }
}

TEST(Faults, SameSeedSameFaults) {
  Faults one(7);
  Faults same(7);
  Faults other(8);
  for (Faults* each : {&one, &same, &other}) each->replace({*parse_fault("any:json500:0.5")});
  int hits = 0;
  int differences = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto fault = one.draw(Endpoint::kIssue);
    EXPECT_EQ(fault, same.draw(Endpoint::kIssue));
    if (fault != other.draw(Endpoint::kIssue)) ++differences;
    if (fault) ++hits;
  }
  EXPECT_GT(hits, 400);
  EXPECT_LT(hits, 600);
  EXPECT_GT(differences, 100);
}

TEST(Faults, RulesApplyInOrderToTheirEndpointOnly) {
  Faults faults(1);
  faults.replace({*parse_fault("refresh:hang:1"), *parse_fault("any:json500:1")});
  EXPECT_EQ(faults.draw(Endpoint::kRefresh), FaultKind::kHang);
  EXPECT_EQ(faults.draw(Endpoint::kIssue), FaultKind::kJson500);
  EXPECT_EQ(faults.draw(Endpoint::kOther), std::nullopt);
  faults.replace({*parse_fault("any:json500:0")});
  EXPECT_EQ(faults.draw(Endpoint::kIssue), std::nullopt);
}

struct InPlace {
  const char* kind;
  int status;
  const char* body_start;
  Delivery delivery = Delivery::kPlain;
};

TEST_F(CircleTest, FaultsInPlaceOfACallLeaveTokensAlone) {
  const Pair pair = issued_pair();
  const std::size_t tokens = circle_.ledger().tokens().size();
  for (const InPlace& each : {
           InPlace{"html502", 502, "<html>"},
           InPlace{"json500", 500, R"({"success":false,"message":)"},
           InPlace{"html404", 404, "<html>"},
           InPlace{"no_token", 200, R"({"access_token_expires_at":)"},
           InPlace{"status_unauthorized", 200, R"({"status":"unauthorized"})"},
           InPlace{"throttle", 429, R"({"success":false,"message":)"},
           InPlace{"unavailable", 503, "<html>"},
           InPlace{"unauthorized", 401,
                   R"({"success":false,"message":"Your account could not be authenticated.")"},
           InPlace{"unauthorized_other", 401, R"({"success":false,"message":"You need)"},
           InPlace{"forbidden", 403, R"({"success":false,"message":"Your community isn't)"},
           InPlace{"unprocessable", 422,
                   R"({"success":false,"message":"The access token generation failed. Please )"
                   R"(contact support.","error_details":{"message":"JWT::EncodeError"}})"},
           InPlace{"redirect", 302, "<html>"},
           InPlace{"huge", 200, R"({"access_token":)", Delivery::kHuge},
           InPlace{"hang", 200, "", Delivery::kHang},
           InPlace{"drop_before", 200, "", Delivery::kDrop},
       }) {
    SCOPED_TRACE(each.kind);
    use_faults(R"(["refresh:)" + std::string(each.kind) + R"(:1"])");
    const Reply reply = refresh(pair.refresh);
    EXPECT_EQ(reply.delivery, each.delivery);
    EXPECT_EQ(reply.status, each.status);
    EXPECT_TRUE(reply.body.starts_with(each.body_start)) << reply.body;
    EXPECT_EQ(circle_.ledger().tokens().size(), tokens);
    EXPECT_EQ(stats().at("faults").at(each.kind), 1);
  }
}

TEST_F(CircleTest, UnprocessableSpeaksEachEndpointsOwnWords) {
  const Pair pair = issued_pair();
  use_faults(R"(["any:unprocessable:1"])");
  expect_reply(issue(), 422,
               R"({"success":false,"message":"There was an error creating the token. Please )"
               R"(contact support.","error_details":{"message":"Record invalid"}})");
  expect_reply(revoke_refresh(pair.refresh), 422,
               R"({"success":false,"message":"Failed to revoke the refresh token.",)"
               R"("error_details":{"message":"ActiveRecord::RecordNotDestroyed"}})");
  EXPECT_EQ(revoke_access(pair.access).status, 422);
  EXPECT_EQ(state_of(pair.access), "live");
  EXPECT_EQ(state_of(pair.refresh), "live");
}

TEST_F(CircleTest, DropAfterDoesTheEffectAndDeliversNothing) {
  const Pair pair = issued_pair();
  use_faults(R"(["any:drop_after:1"])");
  const Exchange lost = exchange_of("PATCH", kRefreshPath, field("refresh_token", pair.refresh));
  EXPECT_EQ(lost.reply.delivery, Delivery::kDrop);
  ASSERT_EQ(lost.tokens.size(), 1U);
  EXPECT_FALSE(circle_.ledger().at(lost.tokens[0]).delivered);
  EXPECT_EQ(revoke_refresh(pair.refresh).delivery, Delivery::kDrop);
  EXPECT_EQ(state_of(pair.refresh), "revoked");
  EXPECT_EQ(stats().at("calls").at("refresh").at("none"), 1);
}

TEST_F(CircleTest, HangAfterDoesTheEffectToo) {
  const Pair pair = issued_pair();
  use_faults(R"(["revoke_access:hang_after:1"])");
  EXPECT_EQ(revoke_access(pair.access).delivery, Delivery::kHang);
  EXPECT_EQ(state_of(pair.access), "revoked");
}

TEST_F(CircleTest, TruncatedCutsTheJsonAndDeliversNothing) {
  const Pair pair = issued_pair();
  use_faults(R"(["any:truncated:1"])");
  const Exchange cut = exchange_of("PATCH", kRefreshPath, field("refresh_token", pair.refresh));
  EXPECT_EQ(cut.reply.status, 200);
  boost::json::error_code ec;
  boost::json::parse(cut.reply.body, ec);
  EXPECT_TRUE(ec);
  ASSERT_EQ(cut.tokens.size(), 1U);
  EXPECT_FALSE(circle_.ledger().at(cut.tokens[0]).delivered);
  const Reply revoked = revoke_access(pair.access);
  EXPECT_EQ(revoked.status, 200) << "a 204 has nothing to cut";
  EXPECT_EQ(state_of(pair.access), "revoked");
}

TEST_F(CircleTest, MildFaultsKeepTheAnswer) {
  const Pair pair = issued_pair();
  use_faults(R"(["any:chunked:1"])");
  EXPECT_EQ(refresh(pair.refresh).delivery, Delivery::kChunked);
  use_faults(R"(["any:no_content_type:1"])");
  EXPECT_EQ(refresh(pair.refresh).content_type, "");
  use_faults(R"(["any:no_millis:1"])");
  const auto body = object_of(issue());
  EXPECT_EQ(text_of(body, "access_token_expires_at"), "2024-03-20T17:54:47Z");
  EXPECT_EQ(text_of(body, "refresh_token_expires_at"), "2024-04-19T16:54:47Z");
  for (const Token& token : circle_.ledger().tokens()) EXPECT_TRUE(token.delivered);
}

TEST_F(CircleTest, ThrottleFaultObeysRetryAfter) {
  set(R"({"retry_after":"seconds"})");
  use_faults(R"(["any:throttle:1"])");
  const Reply reply = issue();
  ASSERT_EQ(reply.headers.size(), 1U);
  EXPECT_EQ(reply.headers[0].second, "1");
}

}  // namespace
}  // namespace rota::sandbox
