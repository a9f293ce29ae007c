#include "sandbox/control.h"

#include <gtest/gtest.h>

#include "sandbox/control_query.h"
#include "unit/sandbox/fixture.h"

namespace rota::sandbox {
namespace {

TEST_F(CircleTest, LedgerListsEveryTokenWithItsState) {
  const Pair pair = issued_pair();
  ASSERT_EQ(revoke_access(pair.access).status, 204);
  const auto ledger = object_of(ask("GET", "/_sandbox/ledger"));
  EXPECT_EQ(ledger.at("now"), "2024-03-20T16:54:47.274Z");
  const auto& tokens = ledger.at("tokens").as_array();
  ASSERT_EQ(tokens.size(), 2U);
  const boost::json::object refresh_entry{{"kind", "refresh"},
                                          {"token", pair.refresh},
                                          {"community_member_id", 1},
                                          {"issued_at", "2024-03-20T16:54:47.274Z"},
                                          {"expires_at", "2024-04-19T16:54:47.000Z"},
                                          {"state", "live"},
                                          {"delivered", true}};
  EXPECT_EQ(tokens[0], refresh_entry);
  EXPECT_EQ(tokens[1].at("token").as_string(), pair.access);
  EXPECT_EQ(tokens[1].at("state"), "revoked");
}

TEST_F(CircleTest, LedgerCanBeFiltered) {
  const Pair first = issued_pair();
  issued_pair(R"({"community_member_id":2})");
  const auto count = [this](std::string_view query) {
    const Reply reply = ask("GET", "/_sandbox/ledger?" + std::string(query));
    return object_of(reply).at("tokens").as_array().size();
  };
  EXPECT_EQ(count("community_member_id=2"), 2U);
  EXPECT_EQ(count("kind=access"), 2U);
  EXPECT_EQ(count("kind=access&community_member_id=1"), 1U);
  ASSERT_EQ(revoke_refresh(first.refresh).status, 204);
  EXPECT_EQ(count("state=revoked"), 1U);
  EXPECT_EQ(ask("GET", "/_sandbox/ledger?state=dead").status, 400);
  EXPECT_EQ(ask("GET", "/_sandbox/ledger?community_member_id=x").status, 400);
}

TEST_F(CircleTest, CheckKnowsOneToken) {
  const Pair pair = issued_pair();
  EXPECT_EQ(state_of(pair.access), "live");
  EXPECT_EQ(state_of("nothing"), "unknown");
  advance(hours{1});
  EXPECT_EQ(state_of(pair.access), "expired");
}

TEST_F(CircleTest, ExpireAndRevokeByForce) {
  const Pair pair = issued_pair();
  ASSERT_EQ(ask("POST", "/_sandbox/expire", field("token", pair.refresh)).status, 200);
  EXPECT_EQ(state_of(pair.refresh), "expired");
  EXPECT_EQ(refresh(pair.refresh).status, 401);
  ASSERT_EQ(ask("POST", "/_sandbox/revoke", field("token", pair.access)).status, 200);
  EXPECT_EQ(state_of(pair.access), "revoked");
  EXPECT_EQ(revoke_access(pair.access).status, 422);
  EXPECT_EQ(ask("POST", "/_sandbox/revoke", field("token", "nothing")).status, 400);
}

TEST_F(CircleTest, MembersComeGoAndChange) {
  ASSERT_EQ(ask("POST", "/_sandbox/members", R"({"id":9,"email":"nine@example.com"})").status, 200);
  EXPECT_EQ(object_of(issue(R"({"email":"nine@example.com"})")).at("community_member_id"), 9);
  // The same address now names another member; the first is still found by its id.
  ASSERT_EQ(ask("POST", "/_sandbox/members", R"({"id":10,"email":"nine@example.com"})").status,
            200);
  EXPECT_EQ(object_of(issue(R"({"email":"nine@example.com"})")).at("community_member_id"), 10);
  EXPECT_EQ(issue(R"({"community_member_id":9})").status, 200);
  // The first one's removal does not take the address from the second.
  ASSERT_EQ(ask("DELETE", "/_sandbox/members/9").status, 200);
  EXPECT_EQ(issue(R"({"community_member_id":9})").status, 404);
  EXPECT_EQ(issue(R"({"email":"nine@example.com"})").status, 200);
  EXPECT_EQ(ask("DELETE", "/_sandbox/members/9").status, 404);
  // Replacing a member drops the selectors that it had.
  ASSERT_EQ(ask("POST", "/_sandbox/members", R"({"id":1,"sso_user_id":"new"})").status, 200);
  EXPECT_EQ(issue(R"({"email":"member1@example.com"})").status, 404);
  EXPECT_EQ(issue(R"({"sso_user_id":"new"})").status, 200);
}

TEST_F(CircleTest, AMemberThatReturnsGetsANewRefreshToken) {
  const Pair before = issued_pair();
  ASSERT_EQ(ask("DELETE", "/_sandbox/members/1").status, 200);
  ASSERT_EQ(ask("POST", "/_sandbox/members", R"({"id":1})").status, 200);
  EXPECT_NE(issued_pair().refresh, before.refresh);
  EXPECT_EQ(revoke_access(before.access).status, 204) << "the JWT outlived the absence";
}

TEST_F(CircleTest, BadControlCallsChangeNothing) {
  for (const auto& [target, body] : std::initializer_list<std::pair<const char*, const char*>>{
           {"/_sandbox/faults", R"({"any":1})"},
           {"/_sandbox/faults", R"(["any:json500:1","bad"])"},
           {"/_sandbox/members", R"({"id":0})"},
           {"/_sandbox/members", R"({"id":5,"email":5})"},
           {"/_sandbox/app-token", "{}"},
           {"/_sandbox/eligible", R"({"eligible":"no"})"},
           {"/_sandbox/options", R"({"access_ttl":"5s","nothing":1})"},
           {"/_sandbox/options", R"({"access_ttl":"-1s"})"},
           {"/_sandbox/options", R"({"access_ttl":"-5s"})"},
           {"/_sandbox/options", R"({"rate_limit":-1})"},
           {"/_sandbox/options", R"({"rate_window":"1m"})"},
           {"/_sandbox/options", R"({"refresh_mode":"stale"})"},
           {"/_sandbox/options", "not JSON"},
       }) {
    SCOPED_TRACE(target);
    SCOPED_TRACE(body);
    const Reply reply = ask("POST", target, body);
    EXPECT_EQ(reply.status, 400);
    EXPECT_FALSE(text_of(object_of(reply), "error").empty());
  }
  EXPECT_EQ(ask("POST", "/_sandbox/nothing").status, 404);
  EXPECT_EQ(ask("GET", "/_sandbox/faults").status, 404);
  EXPECT_EQ(text_of(object_of(issue()), "access_token_expires_at"), "2024-03-20T17:54:47.274Z");
  EXPECT_EQ(circle_.members().size(), 3U);
}

TEST_F(CircleTest, OptionsApplyToWhatComesAfter) {
  const Pair before = issued_pair();
  set(R"({"access_ttl":"60s","refresh_ttl":"1h","latency":"5ms","rate_limit":10})");
  const auto after = object_of(issue(R"({"community_member_id":2})"));
  EXPECT_EQ(text_of(after, "access_token_expires_at"), "2024-03-20T16:55:47.274Z");
  EXPECT_EQ(text_of(after, "refresh_token_expires_at"), "2024-03-20T17:54:47.000Z");
  EXPECT_EQ(circle_.options().latency, Duration{5});
  EXPECT_EQ(circle_.options().rate_limit, 10U);
  advance(minutes{2});
  EXPECT_EQ(state_of(before.access), "live");
}

TEST_F(CircleTest, OverlappingCallsOfOneMemberAreSeen) {
  const auto begin = [this](std::string_view body) {
    return circle_.begin({"POST", kIssuePath, kBearer, "application/json", body}, now_);
  };
  const Exchange one = begin(R"({"community_member_id":1})");
  const Exchange two = begin(R"({"community_member_id":2})");
  EXPECT_EQ(circle_.stats().overlaps(), 0U);
  // By another selector it is the same member.
  const Exchange again = begin(R"({"email":"member1@example.com"})");
  auto in_flight = stats().at("in_flight").as_object();
  EXPECT_EQ(in_flight.at("now"), 3);
  EXPECT_EQ(in_flight.at("overlaps"), 1);
  EXPECT_EQ(in_flight.at("peak_per_member"), 2);
  EXPECT_EQ(in_flight.at("overlaps_by_member").at("1"), 1);
  for (const Exchange* each : {&one, &two, &again}) circle_.end(*each, true);
  call({"POST", kIssuePath, kBearer, "application/json", R"({"community_member_id":1})"});
  in_flight = stats().at("in_flight").as_object();
  EXPECT_EQ(in_flight.at("now"), 0);
  EXPECT_EQ(in_flight.at("peak"), 3);
  EXPECT_EQ(in_flight.at("overlaps"), 1);
}

TEST_F(CircleTest, ARefreshAndARevocationOfOneMemberOverlap) {
  const Pair pair = issued_pair();
  const std::string refresh_body = field("refresh_token", pair.refresh);
  const std::string revoke_body = field("access_token", pair.access);
  const Exchange refresh_call =
      circle_.begin({"PATCH", kRefreshPath, kBearer, "application/json", refresh_body}, now_);
  const Exchange revoke_call =
      circle_.begin({"POST", kRevokeAccessPath, kBearer, "application/json", revoke_body}, now_);
  EXPECT_EQ(circle_.stats().overlaps(), 1U);
  circle_.end(refresh_call, true);
  circle_.end(revoke_call, true);
}

TEST_F(CircleTest, StatsCountCallsByEndpointAndStatus) {
  const Pair pair = issued_pair();
  issue(R"({"community_member_id":4})");
  refresh(pair.refresh);
  revoke_access(pair.access);
  revoke_refresh("nothing");
  call({"GET", "/", kBearer, "application/json", ""});
  const auto all = stats();
  EXPECT_EQ(all.at("calls_total"), 6);
  const auto expected = boost::json::parse(
      R"({"issue":{"200":1,"404":1},"refresh":{"200":1},"revoke_refresh":{"404":1},)"
      R"("revoke_access":{"204":1},"other":{"404":1}})");
  EXPECT_EQ(all.at("calls"), expected);
  EXPECT_EQ(all.at("tokens"), 3);
}

TEST(ParseMember, ReadsIdEmailAndSso) {
  EXPECT_EQ(parse_member("7")->id, 7);
  const auto full = parse_member("7,a@b,google|1,2");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->email, "a@b");
  EXPECT_EQ(full->sso_user_id, "google|1,2");
  EXPECT_EQ(parse_member("7,,sso")->email, "");
  for (const char* text : {"", "x", "0", "-1", "7x", ",a@b"}) EXPECT_FALSE(parse_member(text));
}

TEST(QueryValue, FindsAndDecodesOneKey) {
  EXPECT_EQ(query_value("a=1&b=x%7Cy&c", "b"), "x|y");
  EXPECT_EQ(query_value("a=1&b=", "b"), "");
  EXPECT_EQ(query_value("ab=1", "b"), std::nullopt);
  EXPECT_EQ(query_value("b", "b"), std::nullopt);
  EXPECT_EQ(query_value("b=%4", "b"), "%4");
  EXPECT_EQ(query_value("b=%zz", "b"), "%zz");
}

}  // namespace
}  // namespace rota::sandbox
