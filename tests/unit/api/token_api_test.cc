#include "api/token_api.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>

#include "api/frontend.h"

namespace rota {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kExpiry{std::chrono::hours{480'000}};
constexpr std::uint32_t kOwnUid = 990;
const PeerIdentity kRoot{.uid = 0, .gid = 0, .pid = 1};
const PeerIdentity kStranger{.uid = 1'000, .gid = 1'000, .pid = 1};
constexpr Fingerprint kFingerprint = 0xabcd;

Published row_of_lifetime(Duration lifetime) {
  Published row;
  row.member = MemberId{7};
  row.keys = {MemberKey::from_id(42).value(), MemberKey::from_email("ada@example.com").value()};
  row.access_token = make_secret("token");
  row.fingerprint = kFingerprint;
  row.issued_at = kExpiry - lifetime;
  row.expires_at = kExpiry;
  return row;
}

TokenQuery query_of_42() {
  TokenQuery query;
  query.member.key = MemberKey::from_id(42).value();
  query.wait = seconds{10};
  return query;
}

// One decision about a token of an hour, unless the case says otherwise.
struct Case {
  Published row = row_of_lifetime(minutes{60});
  TokenQuery query = query_of_42();
  Duration left = minutes{30};
  PeerIdentity peer = kRoot;

  Answer decide() const {
    Table table;
    table.publish(row);
    return decide_token(query, peer, AccessPolicy(kOwnUid), table, kExpiry - left);
  }
  // "token", "wait", or the code of the error.
  std::string verdict() const {
    const Answer answer = decide();
    if (std::holds_alternative<TokenReply>(answer)) return "token";
    if (std::holds_alternative<WaitReply>(answer)) return "wait";
    return std::string(row_of(std::get<ErrorReply>(answer).code).code);
  }
};

TEST(TokenApi, DefaultNeedsAMinuteOfALongToken) {
  Case at{.left = seconds{60}};
  EXPECT_EQ(at.verdict(), "token");
  at.left = milliseconds{59'999};
  EXPECT_EQ(at.verdict(), "wait");
}

TEST(TokenApi, DefaultNeedsHalfOfAShortToken) {
  Case at{.row = row_of_lifetime(seconds{40}), .left = seconds{20}};
  EXPECT_EQ(at.verdict(), "token");
  at.left = milliseconds{19'999};
  EXPECT_EQ(at.verdict(), "wait");
}

TEST(TokenApi, TheRuleChangesWhereHalfTheLifeIsAMinute) {
  EXPECT_EQ(
      (Case{.row = row_of_lifetime(milliseconds{119'998}), .left = milliseconds{59'999}}).verdict(),
      "token");
  EXPECT_EQ((Case{.row = row_of_lifetime(seconds{120}), .left = milliseconds{59'999}}).verdict(),
            "wait");
}

TEST(TokenApi, AskedMinTtlCountsToTheMillisecond) {
  Case at{.left = seconds{90}};
  at.query.min_ttl = seconds{90};
  EXPECT_EQ(at.verdict(), "token");
  at.query.min_ttl = milliseconds{90'001};
  EXPECT_EQ(at.verdict(), "wait");
}

TEST(TokenApi, MoreThanATokenCanHaveIsTheRotationsToJudge) {
  Case at{.left = minutes{59}};
  at.query.min_ttl = minutes{600};
  const Answer answer = at.decide();
  ASSERT_TRUE(std::holds_alternative<WaitReply>(answer));
  EXPECT_EQ(std::get<WaitReply>(answer).request.min_ttl, minutes{600});
}

TEST(TokenApi, NoTokenWithinTheMarginIsServed) {
  Case at;
  at.query.min_ttl = seconds{0};
  at.query.wait = seconds{0};
  at.left = milliseconds{1'001};
  EXPECT_EQ(at.verdict(), "token");
  at.left = milliseconds{1'000};
  EXPECT_EQ(at.verdict(), "token_unavailable");
  at.left = milliseconds{-1};
  EXPECT_EQ(at.verdict(), "token_unavailable");
  at.query.wait = milliseconds{1};
  EXPECT_EQ(at.verdict(), "wait");
}

TEST(TokenApi, WithoutWaitingWhatIsAliveWillDo) {
  Case at{.left = seconds{5}};
  at.query.wait = seconds{0};
  EXPECT_EQ(at.verdict(), "token");
  at.query.strict = true;
  EXPECT_EQ(at.verdict(), "token_unavailable");
  at.left = seconds{60};
  EXPECT_EQ(at.verdict(), "token");
}

// A new token has an hour, and counts as new for ten seconds.
TEST(TokenApi, StrictSaysWhatCanBeHadWhereNoTokenHasWhatItAsks) {
  Case at{.left = minutes{59}};
  at.query.strict = true;
  at.query.min_ttl = minutes{60};
  EXPECT_EQ(at.verdict(), "token_unavailable") << "waiting would not help";
  const auto reply = std::get<ErrorReply>(at.decide());
  EXPECT_NE(reply.message.find("at most 3590s"), std::string::npos) << reply.message;
  EXPECT_EQ(reply.retry_after, std::chrono::hours{1}) << "a client must not ask each second";
  at.query.min_ttl = milliseconds{3'590'001};
  EXPECT_EQ(at.verdict(), "token_unavailable");
  at.query.min_ttl = seconds{3'590};
  EXPECT_EQ(at.verdict(), "wait");
  // Nor is a token that happens to have more than is promised kept back.
  at.query.min_ttl = seconds{3'595};
  at.left = seconds{3'596};
  EXPECT_EQ(at.verdict(), "token");
  at.query.strict = false;
  at.query.min_ttl = minutes{600};
  EXPECT_EQ(at.verdict(), "token") << "more than a new token can have counts as that";
  // Of a member that never had a token, and of one whose token is dead.
  at.query.strict = true;
  at.left = seconds{-5};
  EXPECT_EQ(at.verdict(), "token_unavailable");
  at.row.access_token = nullptr;
  EXPECT_EQ(at.verdict(), "wait");
}

TEST(TokenApi, StrictHoldsForWhatIsServedAfterAWaitToo) {
  const auto settle = [](Duration min_ttl, WaitResult result, Duration left) {
    Table table;
    table.publish(row_of_lifetime(minutes{60}));
    const Asked asked{.key = MemberKey::from_id(42).value(), .strict = true, .min_ttl = min_ttl};
    return settle_token(asked, {.result = result, .retry_after = seconds{9}}, kRoot,
                        AccessPolicy(kOwnUid), table, kExpiry - left);
  };
  const auto served = [](const TokenOutcome& outcome) {
    return std::holds_alternative<TokenReply>(outcome);
  };
  EXPECT_TRUE(served(settle(minutes{30}, WaitResult::kServe, minutes{30})));
  EXPECT_FALSE(served(settle(minutes{30}, WaitResult::kServe, minutes{30} - milliseconds{1})));
  EXPECT_FALSE(served(settle(minutes{61}, WaitResult::kServe, minutes{60})));
  // A new member's first token tells how long its tokens live.
  const auto refused = settle(minutes{61}, WaitResult::kUnavailable, minutes{60});
  EXPECT_NE(std::get<ErrorReply>(refused).message.find("3590s"), std::string::npos);
  EXPECT_EQ(std::get<ErrorReply>(refused).retry_after, std::chrono::hours{1});
  const auto late = settle(minutes{30}, WaitResult::kUnavailable, minutes{20});
  EXPECT_EQ(std::get<ErrorReply>(late).message, "");
}

// "a+b" of a client that encodes by hand is "a+b", of one with a form encoder it is "a b".
TEST(TokenApi, APlusIsOneFirstAndASpaceWhereThatLeadsToNobody) {
  const auto sso = [](std::string_view text) { return MemberKey::from_sso(text).value(); };
  Table table;
  const auto publish = [&](std::int64_t member, std::string_view key) {
    Published row = row_of_lifetime(minutes{60});
    row.member = MemberId{member};
    row.keys = {sso(key)};
    table.publish(row);
  };
  const auto settled_name = [&](const PeerIdentity& peer, const AccessPolicy& policy) {
    NamedMember member{.key = sso("a+b"), .as_form = sso("a b")};
    settle_name(member, peer, policy, table);
    EXPECT_EQ(member.as_form, std::nullopt);
    return member.key.value;
  };
  const AccessPolicy none(kOwnUid);
  NamedMember nobody{.key = sso("a+b"), .as_form = sso("a b")};
  settle_name(nobody, kRoot, none, table);
  EXPECT_EQ(nobody.key, sso("a+b"));
  EXPECT_EQ(nobody.as_form, sso("a b")) << "nobody by either name: Circle knows who is meant";
  EXPECT_EQ(settled_name(kStranger, none), "a+b") << "it may ask about neither";
  publish(1, "a b");
  EXPECT_EQ(settled_name(kRoot, none), "a b");
  EXPECT_EQ(settled_name(kStranger, none), "a b");
  publish(2, "a+b");
  EXPECT_EQ(settled_name(kRoot, none), "a+b");
  table.forget(MemberId{1});
  table.forget(MemberId{2});
  const AccessPolicy by_key(
      kOwnUid,
      {{.holder = Grant::Holder::kUser, .id = kStranger.uid, .tags = {}, .members = {sso("a b")}}});
  EXPECT_EQ(settled_name(kStranger, by_key), "a b") << "granted, and not there yet";
}

TEST(TokenApi, ARefusedTokenIsNotServedAtOnce) {
  Case at;
  at.query.refused = kFingerprint;
  EXPECT_EQ(at.verdict(), "wait");
  at.query.wait = seconds{0};
  EXPECT_EQ(at.verdict(), "token_unavailable");
  at.query.refused = kFingerprint + 1;
  EXPECT_EQ(at.verdict(), "token");
}

TEST(TokenApi, AWaitCarriesWhatWasAsked) {
  Case at{.left = seconds{1}};
  at.query.min_ttl = seconds{77};
  at.query.strict = true;
  at.query.refused = 5;
  at.query.wait = seconds{3};
  const Answer answer = at.decide();
  const auto* reply = std::get_if<WaitReply>(&answer);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->asked.key, at.query.member.key);
  EXPECT_TRUE(reply->asked.strict);
  EXPECT_EQ(reply->asked.min_ttl, seconds{77});
  const WaitRequest* wait = &reply->request;
  EXPECT_EQ(wait->member, MemberId{7});
  EXPECT_EQ(wait->min_ttl, seconds{77});
  EXPECT_TRUE(wait->strict);
  EXPECT_EQ(wait->refused, Fingerprint{5});
  EXPECT_EQ(wait->wait, seconds{3});
}

TEST(TokenApi, UnavailableSaysWhenToComeAgain) {
  Case at{.left = seconds{0}};
  at.query.wait = seconds{0};
  EXPECT_EQ(std::get<ErrorReply>(at.decide()).retry_after, kRetryAfterDefault);
}

TEST(TokenApi, AMemberWithoutATokenIsWaitedFor) {
  Case at;
  at.row.access_token = nullptr;
  at.row.fingerprint = 0;
  EXPECT_EQ(at.verdict(), "wait");
  at.query.wait = seconds{0};
  EXPECT_EQ(at.verdict(), "token_unavailable");
  // A fingerprint of zero is no token's here.
  at.query.refused = 0;
  at.query.wait = seconds{1};
  EXPECT_EQ(at.verdict(), "wait");
}

TEST(TokenApi, EveryStateButActiveIsServedNothing) {
  const std::pair<MemberState, std::string_view> states[] = {
      {MemberState::kActive, "token"},           {MemberState::kRetiring, "member_retired"},
      {MemberState::kRetired, "member_retired"}, {MemberState::kBlocked, "member_blocked"},
      {MemberState::kUnknown, "member_unknown"}, {MemberState::kMismatched, "member_mismatched"},
  };
  for (const auto& [state, wanted] : states) {
    Case at;
    at.row.state = state;
    EXPECT_EQ(at.verdict(), wanted);
    at.query.wait = seconds{0};
    EXPECT_EQ(at.verdict(), wanted);
  }
}

TEST(TokenApi, ANameThatLeadsNowhereIsUnknown) {
  Case at;
  at.query.member.key = MemberKey::from_id(43).value();
  EXPECT_EQ(at.verdict(), "member_unknown");
  at.query.member.key = MemberKey::from_email("ada@example.com").value();
  EXPECT_EQ(at.verdict(), "token");
}

TEST(TokenApi, AStrangerLearnsNothing) {
  Case at{.peer = kStranger};
  for (const auto state : {MemberState::kActive, MemberState::kRetired, MemberState::kBlocked}) {
    at.row.state = state;
    EXPECT_EQ(at.verdict(), "forbidden");
  }
  at.query.member.key = MemberKey::from_id(43).value();
  EXPECT_EQ(at.verdict(), "forbidden");
}

std::string settled(const Published& row, WaitResult result, Duration left,
                    const PeerIdentity& peer = kRoot, std::int64_t id = 42) {
  Table table;
  table.publish(row);
  const WaitAnswer answer{.result = result, .retry_after = seconds{9}};
  const TokenOutcome outcome = settle_token({.key = MemberKey::from_id(id).value()}, answer, peer,
                                            AccessPolicy(kOwnUid), table, kExpiry - left);
  const auto* error = std::get_if<ErrorReply>(&outcome);
  if (error == nullptr) return "token";
  std::string text(row_of(error->code).code);
  if (error->retry_after) text += " " + format_duration(*error->retry_after);
  return text;
}

TEST(TokenApi, AWaitEndsAsTheRotationSays) {
  const std::pair<WaitResult, std::string_view> results[] = {
      {WaitResult::kServe, "token"},
      {WaitResult::kUnavailable, "token_unavailable 9s"},
      {WaitResult::kRetired, "member_retired"},
      {WaitResult::kBlocked, "member_blocked"},
      {WaitResult::kUnknown, "member_unknown"},
      {WaitResult::kMismatched, "member_mismatched"},
  };
  for (const auto& [result, wanted] : results) {
    EXPECT_EQ(settled(row_of_lifetime(minutes{60}), result, minutes{1}), wanted);
  }
}

TEST(TokenApi, AfterAWaitTheTableIsJudgedAfresh) {
  Published row = row_of_lifetime(minutes{60});
  EXPECT_EQ(settled(row, WaitResult::kServe, milliseconds{1'001}), "token");
  EXPECT_EQ(settled(row, WaitResult::kServe, milliseconds{1'000}), "token_unavailable 1s");
  EXPECT_EQ(settled(row, WaitResult::kServe, minutes{1}, kStranger), "forbidden");
  EXPECT_EQ(settled(row, WaitResult::kServe, minutes{1}, kRoot, 43), "member_unknown");
  row.state = MemberState::kRetiring;
  EXPECT_EQ(settled(row, WaitResult::kServe, minutes{1}), "member_retired");
  row.state = MemberState::kActive;
  row.access_token = nullptr;
  EXPECT_EQ(settled(row, WaitResult::kServe, minutes{1}), "token_unavailable 1s");
}

}  // namespace
}  // namespace rota
