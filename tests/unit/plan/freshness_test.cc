#include "plan/freshness.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;

TEST(Freshness, P12TheLeadIsHalfTheLifetimeWhereItIsNotLess) {
  struct Case {
    Duration ahead, lifetime, effective;
  };
  for (const auto& [ahead, lifetime, effective] :
       {Case{10min, 1h, 10min}, Case{59min, 1h, 59min}, Case{1h - 6s, 1h, 1h - 6s},
        Case{1h - 5s, 1h, 30min}, Case{4s, 6s, 4s}, Case{1h, 1h, 30min}, Case{2h, 1h, 30min},
        Case{0ms, 1h, 0ms}, Case{10min, 7ms, 3ms}}) {
    EXPECT_EQ(effective_ahead(ahead, lifetime), effective) << ahead.count();
  }
}

TEST(Freshness, P12JitterPullsEarlierWithinItsBoundsAndIsAFunctionOfSeedAndToken) {
  Policy policy;
  policy.jitter = 0.5;
  std::set<WallTime> seen;
  for (std::int64_t id = 1; id <= 500; ++id) {
    const Token token = test::access_token(id, "a");
    const WallTime due = refresh_due(token, policy, {}, 99);
    EXPECT_EQ(due, refresh_due(token, policy, {}, 99));
    EXPECT_LE(due, token.expires_at - 10min);
    EXPECT_GE(due, token.expires_at - 15min);
    seen.insert(due);
  }
  EXPECT_GT(seen.size(), 450U) << "members are spread";
  const Token one = test::access_token(1, "a");
  EXPECT_NE(refresh_due(one, policy, {}, 1), refresh_due(one, policy, {}, 2));
}

TEST(Freshness, P12JitterTakesAtMostHalfOfWhatLiesBetweenIssueAndDue) {
  Policy policy;
  policy.jitter = 1.0;
  policy.refresh_ahead = 50min;
  WallTime earliest = kT0 + 1h;
  for (std::int64_t id = 1; id <= 500; ++id) {
    const WallTime due = refresh_due(test::access_token(id, "a"), policy, {}, 5);
    EXPECT_GE(due, kT0 + 5min);
    EXPECT_LE(due, kT0 + 10min);
    earliest = std::min(earliest, due);
  }
  EXPECT_EQ(earliest, kT0 + 5min);
}

TEST(Freshness, P12NoJitterIsExact) {
  Policy policy;
  policy.jitter = 0;
  EXPECT_EQ(refresh_due(test::access_token(3, "a"), policy, {}, 5), kT0 + 50min);
}

TEST(Freshness, P12WhereEarlyRefreshIsUselessDueIsTheEndExceptForTheProbe) {
  Policy policy;
  policy.jitter = 0;
  UpstreamFacts facts;
  facts.early_refresh_useless = true;
  const Token token = test::access_token(1, "a");
  facts.early_probe_at = kT0 + 50min + 1ms;
  EXPECT_EQ(refresh_due(token, policy, facts, 5), kT0 + 1h + kEndSlack);
  facts.early_probe_at = kT0 + 50min;
  EXPECT_EQ(refresh_due(token, policy, facts, 5), kT0 + 50min);
  facts.early_refresh_useless = false;
  facts.early_probe_at = kT0 + 24h;
  EXPECT_EQ(refresh_due(token, policy, facts, 5), kT0 + 50min);
}

TEST(Freshness, P12APairIsRenewedAheadOfItsEnd) {
  Policy policy;
  const Token token = test::refresh_token(1, "r");
  EXPECT_EQ(renewal_due(token, policy), kT0 + std::chrono::days{28});
  policy.renew_pair_ahead = std::chrono::days{31};
  EXPECT_EQ(renewal_due(token, policy), kT0 + std::chrono::hours{31 * 12});
}

TEST(Freshness, P12MinTtlHasADefaultAndACap) {
  struct Case {
    std::optional<Duration> asked;
    Duration lifetime, effective;
  };
  for (const auto& [asked, lifetime, effective] : {
           Case{std::nullopt, 1h, 60s},         // the default
           Case{std::nullopt, 2min, 60s},       // half the lifetime, the same
           Case{std::nullopt, 119s, 59'500ms},  // half the lifetime
           Case{std::nullopt, 4s, 2s},
           Case{0s, 1h, 0s},
           Case{5min, 1h, 5min},
           Case{1h - 10s, 1h, 1h - 10s},  // just what a new token can have
           Case{1h - 10s + 1ms, 1h, 1h - 10s},
           Case{24h, 1h, 1h - 10s},
           Case{24h, 40s, 30s},  // the gap is a quarter of a short lifetime
           Case{24h, 8s, 6s},
       }) {
    EXPECT_EQ(effective_min_ttl(asked, lifetime), effective)
        << asked.value_or(-1ms).count() << " of " << lifetime.count();
  }
}

// P12: where each rotation also costs a revocation, half as many are kept fresh.
TEST(Freshness, P12TheRevocationOfASupersededTokenCountsWhereItIsMade) {
  Policy policy;
  policy.jitter = 0;
  policy.window = 5min;
  policy.refresh_ahead = 10min;
  UpstreamFacts facts;
  facts.access_lifetime = 1h;
  EXPECT_EQ(members_that_fit(100, policy, facts), 1'000U);
  policy.revoke_superseded_after = 9min;
  EXPECT_EQ(members_that_fit(100, policy, facts), 500U);
  policy.revoke_superseded_after = 10min;  // over by then
  EXPECT_EQ(members_that_fit(100, policy, facts), 1'000U);
  policy.revoke_superseded_after = 0min;
  facts.early_refresh_useless = true;  // replaced at the end of its life
  EXPECT_EQ(members_that_fit(100, policy, facts), 1'200U);
}

TEST(Freshness, P12ForcedRefreshesOfOneMemberAreTenSecondsApart) {
  EXPECT_EQ(forced_refresh_gap(1h), 10s);
  EXPECT_EQ(forced_refresh_gap(40s), 10s);
  EXPECT_EQ(forced_refresh_gap(39'996ms), 9'999ms);
  EXPECT_EQ(forced_refresh_gap(4s), 1s);
}

}  // namespace
}  // namespace rota
