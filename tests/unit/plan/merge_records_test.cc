#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/apply.h"
#include "plan/next_action.h"
#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::access_token;
using test::find_token;
using test::kT0;
using test::member;
using test::refresh_token;
using testing::Contains;
using testing::ElementsAre;
using enum MemberState;

constexpr WallTime kNow = kT0 + 30min;

TEST(MergeRecords, SelectorsAndTokensGoOver) {
  MemberRecord into = member(1, kActive, "id:42", {access_token(1, "a"), refresh_token(2, "r")});
  MemberRecord from = member(2, kActive, "email:a@b");
  from.selectors.front().tags = {"support"};
  const RecordChange change = merge_records(into, from, kNow);
  EXPECT_TRUE(change.row);
  ASSERT_EQ(into.selectors.size(), 2U);
  EXPECT_EQ(into.selectors[1].key.text(), "email:a@b");
  EXPECT_THAT(into.selectors[1].tags, ElementsAre("support"));
  EXPECT_TRUE(from.selectors.empty() && from.tokens.empty());
}

TEST(MergeRecords, TheLaterAccessTokenStaysCurrentWhicheverRecordHadIt) {
  for (const bool from_is_newer : {true, false}) {
    const WallTime early = kT0, late = kT0 + 10min;
    MemberRecord into =
        member(1, kActive, "id:42",
               {access_token(1, "into", TokenStatus::kCurrent, from_is_newer ? early : late)});
    MemberRecord from =
        member(2, kActive, "email:a@b",
               {access_token(2, "from", TokenStatus::kCurrent, from_is_newer ? late : early)});
    const RecordChange change = merge_records(into, from, kNow);
    const Token& winner = *find_token(into, from_is_newer ? "from" : "into");
    const Token& loser = *find_token(into, from_is_newer ? "into" : "from");
    EXPECT_EQ(winner.status, TokenStatus::kCurrent);
    EXPECT_EQ(loser.status, TokenStatus::kSuperseded);
    EXPECT_EQ(loser.status_since, kNow) << "its time as superseded begins now";
    EXPECT_THAT(change.put, Contains(TokenId{2}));
  }
}

TEST(MergeRecords, TheOlderRefreshTokenIsRevoked) {
  MemberRecord into = member(1, kActive, "id:42", {refresh_token(1, "into")});
  MemberRecord from = member(2, kActive, "email:a@b",
                             {refresh_token(2, "from", TokenStatus::kCurrent, kT0 + 1min)});
  merge_records(into, from, kNow);
  EXPECT_EQ(find_token(into, "into")->status, TokenStatus::kRevoking);
  EXPECT_EQ(current(into, TokenKind::kRefresh)->id, TokenId{2});
}

TEST(MergeRecords, TheSameTokenIsKeptOnce) {
  MemberRecord into = member(1, kActive, "id:42", {access_token(1, "a")});
  MemberRecord from =
      member(2, kActive, "email:a@b", {access_token(2, "a", TokenStatus::kCurrent, kT0 + 1min)});
  const RecordChange change = merge_records(into, from, kNow);
  ASSERT_EQ(into.tokens.size(), 1U);
  EXPECT_EQ(into.tokens.front().id, TokenId{1});
  EXPECT_EQ(into.tokens.front().expires_at, kT0 + 1min + 1h);
  EXPECT_THAT(change.erased, ElementsAre(TokenId{2}));
}

TEST(MergeRecords, P4ARevocationOfTheSameTokenIsKept) {
  for (const bool from_revokes : {true, false}) {
    const auto status = [&](bool revokes) {
      return revokes ? TokenStatus::kRevoking : TokenStatus::kCurrent;
    };
    MemberRecord into = member(1, kActive, "id:42", {access_token(1, "a", status(!from_revokes))});
    MemberRecord from =
        member(2, kActive, "email:a@b", {access_token(2, "a", status(from_revokes))});
    const RecordChange change = merge_records(into, from, kNow);
    ASSERT_EQ(into.tokens.size(), 1U);
    EXPECT_EQ(into.tokens.front().status, TokenStatus::kRevoking) << from_revokes;
    EXPECT_THAT(change.put, Contains(TokenId{1}));
  }
}

TEST(MergeRecords, TheStricterStandingWins) {
  struct Case {
    const char* what;
    MemberState into, from;
    bool from_retired;
    MemberState after;
  };
  for (const Case& c : {
           Case{"both wanted", kActive, kActive, false, kActive},
           Case{"a retired entry wins", kActive, kRetired, true, kRetiring},
           Case{"a removed entry does not", kActive, kRetired, false, kActive},
           Case{"a leaver that is wanted by another name", kRetiring, kActive, false, kActive},
           Case{"blocked stays blocked", kBlocked, kActive, false, kBlocked},
           Case{"an operator revoked the other name", kActive, kBlocked, false, kBlocked},
           Case{"an operator revoked a leaver's other name", kRetired, kBlocked, false, kBlocked},
           Case{"mismatched waits for an operator", kMismatched, kActive, false, kMismatched},
           Case{"two leavers", kRetired, kRetiring, false, kRetired},
       }) {
    MemberRecord into = member(1, c.into, "id:42", {access_token(1, "a")});
    MemberRecord from = member(2, c.from, "email:a@b");
    if (c.from_retired) from.selectors = {test::selector("email:a@b", true, true)};
    merge_records(into, from, kNow);
    EXPECT_EQ(into.state, c.after) << c.what;
    const bool revoked = c.after == kRetiring || c.after == kRetired || c.after == kBlocked;
    EXPECT_EQ(into.tokens.front().status, revoked ? TokenStatus::kRevoking : TokenStatus::kCurrent)
        << c.what;
  }
}

}  // namespace
}  // namespace rota
