#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/fault.h"
#include "sim/world.h"

namespace rota::sim {
namespace {

using testing::IsEmpty;

std::vector<sandbox::FaultRule> rules(std::initializer_list<const char*> texts) {
  std::vector<sandbox::FaultRule> all;
  for (const char* text : texts) all.push_back(*sandbox::parse_fault(text));
  return all;
}

// A world of this seed: short, and of another kind with every seed.
WorldOptions options_of(std::uint64_t seed) {
  Random random(seed);
  WorldOptions options;
  options.seed = seed;
  options.members = 5 + random.below(30);
  options.circle.token_seed = seed;
  options.circle.fault_seed = seed;
  options.circle.refresh_ttl = std::chrono::hours{3};
  options.circle.rate_limit = 0;  // the window is checked against the budget
  options.circle.issue_mode =
      random.below(2) == 0 ? sandbox::IssueMode::kSame : sandbox::IssueMode::kNew;
  options.circle.refresh_mode =
      random.below(4) == 0 ? sandbox::RefreshMode::kSticky : sandbox::RefreshMode::kFresh;
  options.circle.clock_offset = random.up_to(std::chrono::seconds{120}) - std::chrono::seconds{60};
  options.policy.requests_per_window = 60 + random.below(200);
  options.policy.guard.max_retire_count = 1'000;
  options.policy.renew_pair_ahead = std::chrono::minutes{30};
  if (random.below(3) > 0) {
    options.faults = rules({"any:html502:0.05", "any:truncated:0.03", "any:drop_after:0.03",
                            "any:drop_before:0.03", "any:hang:0.01", "any:json500:0.03",
                            "any:no_token:0.02", "any:status_unauthorized:0.02",
                            "refresh:unauthorized_other:0.03", "any:throttle:0.01",
                            "any:html404:0.02", "any:unauthorized:0.002", "any:forbidden:0.002"});
  }
  if (random.below(2) == 0) options.commit_failure_rate = 0.1;
  if (random.below(2) == 0) options.mean_between_crashes = std::chrono::minutes{17};
  if (random.below(2) == 0) options.mean_between_roster_edits = std::chrono::minutes{5};
  return options;
}

class Worlds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Worlds, KeepsThePromises) {
  constexpr std::uint64_t kSeedsPerCase = 10;
  World::Tally all;
  for (std::uint64_t i = 0; i < kSeedsPerCase; ++i) {
    World world(options_of(GetParam() * kSeedsPerCase + i));
    world.run();
    ASSERT_THAT(world.breaches(), IsEmpty());
    all.served += world.tally().served;
    all.rotated += world.tally().rotated;
  }
  // A world in which nothing happens keeps every promise and shows nothing.
  EXPECT_GT(all.served, 100 * kSeedsPerCase);
  EXPECT_GT(all.rotated, 10 * kSeedsPerCase);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Worlds, testing::Range(std::uint64_t{0}, std::uint64_t{10}));

TEST(World, IsTheSameForTheSameSeed) {
  for (const std::uint64_t seed : {3U, 14U, 25U}) {
    World once(options_of(seed));
    World again(options_of(seed));
    World other(options_of(seed + 1));
    once.run();
    again.run();
    other.run();
    EXPECT_EQ(once.hash(), again.hash());
    EXPECT_NE(once.hash(), other.hash());
  }
}

TEST(World, ReachesCrashesFailedCommitsAndRetirements) {
  World::Tally all;
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    World world(options_of(seed));
    world.run();
    all.crashes += world.tally().crashes;
    all.failed_commits += world.tally().failed_commits;
    all.retired += world.tally().retired;
    all.waits += world.tally().waits;
  }
  EXPECT_GT(all.crashes, 10U);
  EXPECT_GT(all.failed_commits, 10U);
  EXPECT_GT(all.retired, 5U);
  EXPECT_GT(all.waits, 10U);
}

}  // namespace
}  // namespace rota::sim
