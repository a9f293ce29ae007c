#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <vector>

#include "sim/group.h"
#include "sim/world.h"

namespace rota::sim {
namespace {

using testing::IsEmpty;

constexpr std::uint64_t kSeedsPerCase = 20;
constexpr std::uint64_t kCases = 20;

Chronicle::Tally run(const WorldOptions& options) {
  World world(options);
  world.run();
  EXPECT_THAT(world.chronicle().breaches(), IsEmpty())
      << "look closer: rota-sim --seed " << options.seed << " --trace";
  return world.chronicle().tally();
}

class Worlds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Worlds, KeepThePromises) {
  std::size_t served = 0;
  std::size_t rotated = 0;
  for (std::uint64_t i = 0; i < kSeedsPerCase; ++i) {
    const auto tally = run(options_of(GetParam() * kSeedsPerCase + i));
    served += tally.contains("served") ? tally.at("served") : 0;
    rotated += tally.contains("reply.refreshed") ? tally.at("reply.refreshed") : 0;
  }
  // If nothing happened in the worlds, they would keep every promise and prove nothing.
  EXPECT_GT(served, 500 * kSeedsPerCase);
  EXPECT_GT(rotated, 30 * kSeedsPerCase);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Worlds, testing::Range(std::uint64_t{0}, kCases));

// A crowd that is far larger than the budget logs in at once, and signs out at once: nobody else's
// token comes late.
TEST(World, P12ACrowdThatComesAndSignsOutKeepsNoRefreshWaiting) {
  WorldOptions options;
  options.seed = 7;
  options.members = 330;
  options.listed = 30;
  options.crowd = 300;
  options.weather = std::chrono::hours{4};
  options.calm = std::chrono::hours{1};
  options.policy.requests_per_window = 60;
  options.policy.enrolment.max_members = 200;
  options.gentle_clients = true;
  const auto tally = run(options);
  ASSERT_TRUE(tally.contains("enrolled"));
  ASSERT_TRUE(tally.contains("sign_out"));
  EXPECT_GT(tally.at("enrol.limited"), 10U) << "there was no crowd";
  EXPECT_TRUE(tally.contains("enrol.full")) << "and many waited when the last place went";
  EXPECT_GT(tally.at("enrolled"), 50U);
  EXPECT_GT(tally.at("sign_out"), 50U);
}

// The same with a crowd that a real community may have, beside the members of a roster, with the
// budget as configured by default.
TEST(World, P12TenThousandThatComeAtOnceAndSignOutAtOnceKeepNoRefreshWaiting) {
  const WorldOptions options = crowd_world(1, 10'000);
  const auto tally = run(options);
  ASSERT_TRUE(tally.contains("sign_out"));
  EXPECT_GT(tally.at("enrol.limited"), options.crowd) << "there was no crowd";
  EXPECT_EQ(tally.at("audit.enrolled"), options.crowd);
  EXPECT_EQ(tally.at("sign_out"), options.crowd);
}

// Four members whom clients enrolled, and for whom nobody asks again: the first one leaves once its
// time is over, and then one in an hour. The others have entries in the roster and stay.
TEST(World, P12IdleMembersLeaveOneByOne) {
  WorldOptions options;
  options.seed = 3;
  options.members = 8;
  options.listed = 4;
  options.crowd = 4;
  options.weather = std::chrono::hours{1};
  options.calm = std::chrono::hours{8};
  options.policy.enrolment.idle_after = std::chrono::hours{1};
  options.policy.active_within = std::chrono::hours{2};
  options.gentle_clients = true;
  const auto tally = run(options);
  ASSERT_TRUE(tally.contains("enrol.idle"))
      << "checks of the simulation say if one leaves too soon";
  EXPECT_EQ(tally.at("enrol.idle"), options.crowd);
}

// Every kind of event does happen in these worlds.
TEST(World, HasEverythingInIt) {
  Chronicle::Tally all;
  for (std::uint64_t seed = 0; seed < 5 * kSeedsPerCase; ++seed) {
    World world(options_of(seed));
    world.run();
    for (const auto& [event, times] : world.chronicle().tally()) all[event] += times;
  }
  std::vector<std::string> missing;
  for (const char* event : {
           // The machine.
           "crash.any",
           "crash.at_commit",
           "crash.before_commit",
           "crash.after_commit",
           "crash.calls_in_flight",
           "crash.between_slices",
           "reboot",
           "reboot.clock_off",
           "suspend",
           "suspend.calls_in_flight",
           "stand_still",
           "stand_still.seen",
           "issuer_skewed",
           "dead_on_arrival",
           "clock_step",
           "clock_step.down",
           "commit.failed",
           "commit.unclear",
           "crash.after_unclear_commit",
           "commit.slow",
           "full_disk",
           // Circle.
           "outage.refused",
           "outage.silent",
           "slow_time",
           "refusal.app_token",
           "refusal.community",
           "new_app_token",
           "alarm",
           "circle.member_removed",
           "circle.member_back",
           "circle.email_moved",
           "circle.foreign_revocation",
           "leavers",
           "leavers.back",
           "retry_after.seconds",
           "retry_after.date",
           "retry_after.none",
           "reply.refused",
           "reply.none",
           // What Circle answers, and how the answer is spoiled.
           "reply.issued",
           "reply.refreshed",
           "reply.revoked",
           "reply.already_dead",
           "reply.member_gone",
           "reply.member_unknown",
           "reply.refresh_token_dead",
           "reply.app_token_refused",
           "reply.not_eligible",
           "reply.throttled",
           "reply.transient",
           "fault.html502",
           "fault.json500",
           "fault.html404",
           "fault.no_token",
           "fault.status_unauthorized",
           "fault.throttle",
           "fault.unavailable",
           "fault.unauthorized",
           "fault.unauthorized_other",
           "fault.forbidden",
           "fault.unprocessable",
           "fault.redirect",
           "fault.huge",
           "fault.hang",
           "fault.drop_before",
           "fault.hang_after",
           "fault.drop_after",
           "fault.truncated",
           "fault.chunked",
           "fault.no_content_type",
           "fault.no_millis",
           // People.
           "served",
           "wait",
           "wait.cancelled",
           "wait.refused",
           "fetch.refused",
           "edit.add",
           "edit.remove",
           "edit.retire",
           "edit.change",
           "edit.mass_removal",
           "edit.restore",
           "guard.held",
           "guard.approved",
           "approve",
           "approve.stale",
           "reload.refused",
           "reload.failed",
           "roster.slice",
           "roster.meanwhile",
           "order.rotate",
           "order.revoke",
           "order.reinstate.blocked",
           "order.reinstate.mismatched",
           "order.revoke_all",
           "sign_out",
           "revoke_token",
           "revoke_token.done",
           "report.done",
           "report.unfinished",
           "report.refused",
           // Programs that enrol, sign out and remove.
           "enrol",
           "enrolled",
           "enrolled.pending",
           "enrol.limited",
           "enrol.full",
           "enrol.share_taken",
           "enrol.idle",
           "enrol.ended_by_roster",
           "sign_out",
           "sign_out.came_late",
           "remove",
           "removals.limited",
           "removals.lifted",
           "p13.forgotten",
           // What Rota tells people.
           "tell.alias",
           "tell.mismatched",
           "tell.unknown",
           "tell.early_refresh",
           "tell.pair_lost",
           "tell.breaker",
           "tell.throttled",
           "tell.clock",
           "tell.blocked",
           "tell.retiring",
           "few_calls",
           "few_calls.of_a_member",
           "tell.dead_on_arrival",
       }) {
    if (!all.contains(event)) missing.emplace_back(event);
  }
  EXPECT_THAT(missing, IsEmpty());
}

// Daemons of one machine that share a budget which has enough for all: each keeps all promises.
TEST(Group, KeepsThePromisesOfEach) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Group group({.seed = seed, .worlds = 2 + seed % 2});
    group.run();
    EXPECT_THAT(group.breaches(), IsEmpty()) << "seed " << seed;
    EXPECT_GT(group.tally()["crash.any"], 5U);
  }
}

// If it has not enough, they wait for each other, and the sum stays within it.
TEST(Group, P7TheSumOfAllStaysWithinTheBudget) {
  double busiest = 0;
  std::size_t cut_off = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Group group({.seed = seed, .worlds = 2 + seed % 2, .short_of_calls = true});
    group.run();
    for (const std::string& breach : group.breaches()) {
      EXPECT_THAT(breach, testing::Not(testing::HasSubstr("P7"))) << "seed " << seed;
    }
    EXPECT_GT(group.tally()["group.waits"], 100U) << "it had enough";
    cut_off += group.tally()["crash.calls_in_flight"];
    busiest = std::max(busiest, group.busiest());
  }
  EXPECT_GT(cut_off, 0U);
  EXPECT_EQ(busiest, 1.0) << "a budget that is never spent proves nothing";
}

TEST(World, IsTheSameForTheSameSeed) {
  for (const std::uint64_t seed : {3U, 14U, 25U, 36U}) {
    World once(options_of(seed));
    World again(options_of(seed));
    World other(options_of(seed + 1));
    once.run();
    again.run();
    other.run();
    EXPECT_EQ(once.chronicle().hash(), again.chronicle().hash());
    EXPECT_NE(once.chronicle().hash(), other.chronicle().hash());
  }
}

// The seeds that once broke a promise, each with its reason.
TEST(World, HasNoRegression) {
  std::ifstream file(ROTA_SIM_REGRESSIONS);
  ASSERT_TRUE(file) << ROTA_SIM_REGRESSIONS;
  std::size_t seeds = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::uint64_t seed = 0;
    const auto [end, status] = std::from_chars(line.data(), line.data() + line.size(), seed);
    ASSERT_TRUE(status == std::errc{} && *end == ' ') << line;
    SCOPED_TRACE(line);
    run(options_of(seed));
    ++seeds;
  }
  EXPECT_GT(seeds, 0U);
}

TEST(LongWorld, KeepsThePromisesForAMonth) {
  constexpr std::size_t kMembers = 20;
  run(long_world(1, std::chrono::days{30}, kMembers, false));
}

TEST(LongWorld, IsFrugalInCalmWeather) {
  constexpr std::size_t kMembers = 40;
  const auto tally = run(long_world(1, std::chrono::days{5}, kMembers, true));
  EXPECT_TRUE(tally.contains("few_calls"));
}

}  // namespace
}  // namespace rota::sim
