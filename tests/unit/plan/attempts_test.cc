#include "plan/attempts.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "plan/backoff.h"
#include "plan/freshness.h"
#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;

constexpr Duration kLife = 1h;
constexpr TokenId kToken{7};

struct After {
  int failures;
  Duration delay;
};

class AttemptsTest : public testing::Test {
 protected:
  // The greatest time until the next try over many draws of `what`, which fails fresh attempts.
  template <class Fail>
  Duration longest(const Fail& fail) {
    Duration most{0};
    for (int i = 0; i < 500; ++i) {
      Attempts tried = attempts;
      fail(tried);
      EXPECT_GE(tried.retry_at, kT0 + kBackoffFloor);
      most = std::max(most, tried.retry_at - kT0);
    }
    return most;
  }

  Attempts attempts;
  Random random{1};
};

TEST_F(AttemptsTest, WithoutAFailureTheNextTryIsAsPlanned) {
  attempts.retry_at = kT0 + 1h;  // of a failure that is over
  attempts.succeeded();
  EXPECT_EQ(attempts.next_try(false), WallTime{});
  EXPECT_EQ(attempts.next_try(true), WallTime{});
}

TEST_F(AttemptsTest, P12ABackoffDoublesWithEachFailureAndASuccessEndsIt) {
  const auto fail = [this](Attempts& tried) { tried.failed(kLife, kLife, kT0, random); };
  for (const auto& [failures, ceiling] :
       {After{0, 500ms}, After{1, 1s}, After{4, 8s}, After{9, 256s}, After{10, 300s}}) {
    attempts.failures = failures;
    const Duration most = longest(fail);
    EXPECT_LE(most, ceiling) << failures;
    EXPECT_GT(most, ceiling * 9 / 10) << failures;
  }
  fail(attempts);
  EXPECT_EQ(attempts.failures, 11);
  attempts.succeeded();
  EXPECT_EQ(attempts.failures, 0);
}

TEST_F(AttemptsTest, P12TriesComeCloserTogetherTowardsTheEndOfTheToken) {
  attempts.failures = 20;
  const auto longest_with = [this](Duration left) {
    return longest([&](Attempts& tried) { tried.failed(kLife, left, kT0, random); });
  };
  EXPECT_LE(longest_with(1min), 30s);
  EXPECT_GT(longest_with(1min), 27s);
  EXPECT_LE(longest_with(1ms), kBackoffCapMin);
  EXPECT_GT(longest_with(0ms), 4min) << "it has none that lives";
}

TEST_F(AttemptsTest, AtItsEndATokenIsAskedForOnceMoreAfterAMoment) {
  attempts.failures = 5;
  attempts.came_too_early(kT0);
  EXPECT_EQ(attempts.failures, 1);
  EXPECT_EQ(attempts.next_try(false), kT0 + kEndSlack);
}

TEST_F(AttemptsTest, P7AfterADeadArrivalNoClientMakesTheNextTryComeSooner) {
  attempts.last_at = kT0;
  attempts.arrived_dead(kT0, random);
  EXPECT_TRUE(attempts.dead_on_arrival);
  EXPECT_EQ(attempts.failures, 1);
  EXPECT_GE(attempts.next_try(true), kT0 + kDeadArrivalGapMin);
  attempts.arrived_alive();
  EXPECT_LT(attempts.next_try(true), kT0 + kDeadArrivalGapMin);
}

TEST_F(AttemptsTest, P12AClientThatWaitsIsNotKeptForAWholeBackoff) {
  attempts.last_at = kT0;
  attempts.retry_at = kT0 + 5min;
  for (const auto& [failures, gap] :
       {After{1, 1s}, After{2, 2s}, After{3, 4s}, After{4, 5s}, After{5, 5s}, After{1'000, 5s}}) {
    attempts.failures = failures;
    EXPECT_EQ(attempts.next_try(true), kT0 + gap) << failures;
    EXPECT_EQ(attempts.next_try(false), kT0 + 5min) << failures;
  }
  attempts.retry_at = kT0 + 5s - 1ms;
  EXPECT_EQ(attempts.next_try(true), kT0 + 5s - 1ms) << "the backoff is over first";
}

TEST_F(AttemptsTest, AMemberUnknownToCircleIsAskedForLaterAndLater) {
  attempts.failures = 3;
  attempts.unknown_to_circle(std::nullopt, kT0);
  EXPECT_EQ(attempts.failures, 0);
  EXPECT_EQ(attempts.retry_at, kT0 + kUnknownRetryMin);
  const Duration most = kUnknownRetryMax;
  for (const auto& [known_for, later] :
       std::vector<std::pair<Duration, Duration>>{{10min, 10min},
                                                  {20min, 20min},
                                                  {most - 1ms, most - 1ms},
                                                  {most, most},
                                                  {most + 1ms, most}}) {
    attempts.unknown_to_circle(kT0 - known_for, kT0);
    EXPECT_EQ(attempts.retry_at, kT0 + later);
  }
}

TEST_F(AttemptsTest, ATokenThatCameEndsTheCallForANewPair) {
  attempts.settle_by_issue = true;
  attempts.failures = 2;
  attempts.answered(false, kT0);
  EXPECT_FALSE(attempts.settle_by_issue);
  EXPECT_EQ(attempts.forced_at, WallTime{}) << "it came by itself";
  EXPECT_EQ(attempts.failures, 2) << "what the token is worth is not known yet";
  attempts.answered(true, kT0 + 1s);
  attempts.answered(false, kT0 + 2s);
  EXPECT_EQ(attempts.forced_at, kT0 + 1s);
}

TEST_F(AttemptsTest, EachRevocationHasABackoffOfItsOwn) {
  EXPECT_EQ(attempts.revocation_retry_at(kToken), WallTime{});
  attempts.revocation_failed(kToken, true, kLife, kT0, random);
  attempts.revocation_failed(kToken, false, kLife, kT0, random);
  attempts.revocation_failed(TokenId{8}, true, kLife, kT0 + 1min, random);
  ASSERT_EQ(attempts.revocations.size(), 2U);
  EXPECT_EQ(attempts.revocations.front().failures, 2);
  EXPECT_EQ(attempts.revocations_unheard(kToken), 1) << "one call never left";
  EXPECT_GE(attempts.revocation_retry_at(kToken), kT0 + kBackoffFloor);
  EXPECT_LE(attempts.revocation_retry_at(kToken), kT0 + 1s);
  EXPECT_EQ(attempts.failures, 0) << "issues and refreshes do not wait for it";
  attempts.revocation_over(kToken);
  EXPECT_EQ(attempts.revocations_unheard(kToken), 0);
  EXPECT_GE(attempts.revocation_retry_at(TokenId{8}), kT0 + 1min);
}

TEST_F(AttemptsTest, P12ForgivenMembersWaitForNoBackoff) {
  attempts.failed(kLife, kLife, kT0, random);
  attempts.revocation_failed(kToken, true, kLife, kT0, random);
  EXPECT_TRUE(attempts.forgive());
  EXPECT_EQ(attempts.next_try(false), WallTime{});
  EXPECT_EQ(attempts.revocation_retry_at(kToken), WallTime{});
}

TEST_F(AttemptsTest, P7AMemberWhoseTokenWasDeadIsNotForgiven) {
  attempts.arrived_dead(kT0, random);
  attempts.revocation_failed(kToken, true, kLife, kT0, random);
  EXPECT_FALSE(attempts.forgive());
  EXPECT_GE(attempts.next_try(false), kT0 + kDeadArrivalGapMin);
  EXPECT_EQ(attempts.revocation_retry_at(kToken), WallTime{});
}

TEST_F(AttemptsTest, AMovedClockForgetsTheTimesAndKeepsWhatHoldsWithoutThem) {
  attempts.arrived_dead(kT0, random);
  attempts.throttled_until = kT0 + 1min;
  attempts.forced_at = kT0;
  attempts.settle_by_issue = true;
  attempts.refused = Fingerprint{9};
  attempts.forget_times();
  EXPECT_EQ(attempts.next_try(false), WallTime{});
  EXPECT_EQ(attempts.throttled_until, WallTime{});
  EXPECT_EQ(attempts.forced_at, WallTime{});
  EXPECT_FALSE(attempts.dead_on_arrival);
  EXPECT_TRUE(attempts.settle_by_issue);
  EXPECT_EQ(attempts.refused, Fingerprint{9});
}

}  // namespace
}  // namespace rota
