#include "engine/best_answer.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;

// Grace's access token lives from kT0 for an hour.
constexpr WallTime kEnd = kT0 + 1h;

class BestAnswerTest : public testing::Test {
 protected:
  WaitAnswer answer(WallTime now) const { return answer(now, now); }
  WaitAnswer answer(WallTime serving, WallTime circle) const {
    return best_answer(record, attempts, request, serving, circle);
  }
  bool serves(WallTime now) const { return answer(now).result == WaitResult::kServe; }

  MemberRecord record = test::member_with_pair();
  Attempts attempts;
  WaitRequest request;
};

TEST_F(BestAnswerTest, TheCurrentTokenIsServedWhileItLives) {
  EXPECT_TRUE(serves(kT0));
  EXPECT_TRUE(serves(kEnd - 1s - 1ms));
  EXPECT_FALSE(serves(kEnd - 1s)) << "P1: clocks and networks are not exact";
}

TEST_F(BestAnswerTest, P1WhileTimeIsInDoubtATokenHasToOutliveTheLatestThatItMayBe) {
  EXPECT_EQ(answer(kEnd - 2s, kT0).result, WaitResult::kServe);
  EXPECT_EQ(answer(kEnd, kT0).result, WaitResult::kUnavailable);
}

TEST_F(BestAnswerTest, AMemberThatIsOutIsAnsweredByItsState) {
  const auto result_in = [this](MemberState state) {
    record.state = state;
    return answer(kT0).result;
  };
  EXPECT_EQ(result_in(MemberState::kRetiring), WaitResult::kRetired);
  EXPECT_EQ(result_in(MemberState::kRetired), WaitResult::kRetired);
  EXPECT_EQ(result_in(MemberState::kBlocked), WaitResult::kBlocked);
  EXPECT_EQ(result_in(MemberState::kUnknown), WaitResult::kUnknown);
  EXPECT_EQ(result_in(MemberState::kMismatched), WaitResult::kMismatched);
  EXPECT_EQ(result_in(MemberState::kActive), WaitResult::kServe);
}

TEST_F(BestAnswerTest, OnlyACurrentAccessTokenIsServed) {
  record.tokens.front().status = TokenStatus::kSuperseded;
  EXPECT_FALSE(serves(kT0));
  record.tokens.clear();
  EXPECT_FALSE(serves(kT0));
}

TEST_F(BestAnswerTest, P13NothingIsServedBeforeEachNameIsKnownToLeadToTheMember) {
  record.selectors.push_back(test::selector("sso:grace"));
  EXPECT_TRUE(serves(kT0));
  record.selectors.back().resolved_at = {};
  EXPECT_FALSE(serves(kT0));
}

TEST_F(BestAnswerTest, ATokenThatCircleRefusedIsNotServedAgain) {
  request.refused = fingerprint_of("access-1");
  EXPECT_FALSE(serves(kT0));
  request.refused = fingerprint_of("access-0");
  EXPECT_TRUE(serves(kT0)) << "there is another one by now";
}

TEST_F(BestAnswerTest, AStrictClientGetsTheLifeThatItAsksForOrNothing) {
  request.min_ttl = 30min;
  request.strict = true;
  EXPECT_TRUE(serves(kEnd - 30min));
  EXPECT_FALSE(serves(kEnd - 30min + 1ms));
  request.min_ttl = 2h;
  EXPECT_FALSE(serves(kT0)) << "no token lives so long";
  request.min_ttl.reset();
  EXPECT_TRUE(serves(kEnd - kDefaultMinTtl));
  EXPECT_FALSE(serves(kEnd - kDefaultMinTtl + 1ms));
}

TEST_F(BestAnswerTest, AClientThatIsNotStrictGetsAShorterLifeThanItAsksFor) {
  request.min_ttl = 30min;
  EXPECT_TRUE(serves(kEnd - 2s)) << "rather than nothing";
}

TEST_F(BestAnswerTest, AClientMayComeBackInASecondUnlessTheMemberFails) {
  attempts.retry_at = kEnd + 10s;  // of a failure that is over
  EXPECT_EQ(answer(kEnd).retry_after, 1s);
  attempts.failures = 1;
  EXPECT_EQ(answer(kEnd).retry_after, 10s);
}

TEST_F(BestAnswerTest, AClientComesBackAfterOneSecondAtLeastAndFiveMinutesAtMost) {
  attempts.failures = 1;
  attempts.retry_at = kEnd - 10s;
  EXPECT_EQ(answer(kEnd).retry_after, 1s);
  attempts.retry_at = kEnd + 5min + 1ms;
  EXPECT_EQ(answer(kEnd).retry_after, 5min);
}

TEST_F(BestAnswerTest, TheTimeToComeBackIsCountedOnCirclesClock) {
  attempts.failures = 1;
  attempts.retry_at = kEnd + 10s;
  EXPECT_EQ(answer(kEnd + 8s, kEnd).retry_after, 10s);
}

}  // namespace
}  // namespace rota
