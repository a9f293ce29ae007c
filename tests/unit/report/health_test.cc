#include "report/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>

#include "model/expiry.h"
#include "tests/unit/engine/engine_box.h"

namespace rota::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> codes_of(const Health& health) {
  std::vector<std::string> codes;
  for (const auto& reason : unready_reasons(health)) codes.emplace_back(name_of(reason.code));
  return codes;
}

struct Case {
  const char* code;
  std::function<void(Health&)> spoil;
  const char* message;
  const char* detail;
};

std::vector<Case> all_cases() {
  return {
      {"members_overdue", [](Health& h) { h.members.overdue = 2; },
       "2 members in use have no live token", ""},
      {"database_gone", [](Health& h) { h.database_problem = "/x/rota.db was moved"; },
       "the database was moved, removed, replaced or overwritten", "/x/rota.db was moved"},
      {"socket_gone", [](Health& h) { h.socket_problem = "/x/token.sock: gone"; },
       "a socket's file is gone", "/x/token.sock: gone"},
      {"commit_failing", [](Health& h) { h.commit_problem = "/x/rota.db: disk full"; },
       "commits to the database fail or hang", "/x/rota.db: disk full"},
      {"config_not_in_force", [](Health& h) { h.files.config_problem = "rotad.toml:3: bad"; },
       "the configuration on disk is not usable", "rotad.toml:3: bad"},
      {"roster_not_in_force",
       [](Health& h) { h.files.roster_problem = "roster.toml:1: email:ada@example.com"; },
       "the roster on disk is not in force", "roster.toml:1: email:ada@example.com"},
      {"grants_held_back", [](Health& h) { h.files.held_grants = {"a"}; },
       "1 grant names a user or group that cannot be found, and is held back", "a"},
      {"grants_held_back", [](Health& h) { h.files.held_grants = {"a", "b"}; },
       "2 grants name a user or group that cannot be found, and are held back", "a; b"},
      {"grants_wait", [](Health& h) { h.files.grants_wait = true; },
       "added grants wait until the whole roster is in force", ""},
      {"grants_wait", [](Health& h) { h.files.grants_unread = true; },
       "the grants on disk changed together with the roster: removed grants are withdrawn, added "
       "ones wait for a reload",
       ""},
      {"roster_plan_held", [](Health& h) { h.held_plan = {.id = "0123", .retire = 1}; },
       "plan 0123 would retire 1 member and waits for an operator", ""},
      {"upstream_app_token_refused", [](Health& h) { h.breaker = BreakerState::kAppTokenRefused; },
       "Circle refuses the app token", ""},
      {"tokens_dead_on_arrival", [](Health& h) { h.members.dead_on_arrival = 3; },
       "Circle gave 3 members a token that had already expired when it arrived", ""},
      {"listener_not_listening", [](Health& h) { h.listener_problem = "127.0.0.1:1 is in use"; },
       "rotad is not listening on each [[listener]]", "127.0.0.1:1 is in use"},
      {"upstream_not_eligible", [](Health& h) { h.breaker = BreakerState::kNotEligible; },
       "Circle refuses the community", ""},
  };
}

TEST(Readiness, EachReasonStandsAlone) {
  for (const Case& each : all_cases()) {
    Health health;
    each.spoil(health);
    const auto reasons = unready_reasons(health);
    ASSERT_EQ(reasons.size(), 1U) << each.code;
    EXPECT_EQ(name_of(reasons[0].code), each.code);
    EXPECT_EQ(reasons[0].message, each.message);
    EXPECT_EQ(reasons[0].detail, each.detail);
  }
}

TEST(Readiness, ABrokenConfigurationIsOneReason) {
  Health health;
  health.files.config_problem = "rotad.toml:3: bad";
  health.files.grants_unread = true;
  ASSERT_EQ(unready_reasons(health).size(), 1U) << "it says what became of the grants";
  EXPECT_EQ(name_of(unready_reasons(health)[0].code), "config_not_in_force");
}

TEST(Readiness, AllReasonsStandTogether) {
  Health health;
  for (const Case& each : all_cases()) each.spoil(health);
  EXPECT_THAT(codes_of(health),
              ElementsAre("members_overdue", "database_gone", "socket_gone", "commit_failing",
                          "config_not_in_force", "grants_held_back", "grants_wait",
                          "listener_not_listening", "roster_not_in_force", "roster_plan_held",
                          "tokens_dead_on_arrival", "upstream_not_eligible"));
}

TEST(Readiness, AFailingUpstreamIsAReasonOnlyWhereItIsFelt) {
  Health health;
  health.breaker = BreakerState::kFailing;
  EXPECT_THAT(codes_of(health), ElementsAre());
  health.members.overdue = 1;
  EXPECT_THAT(codes_of(health), ElementsAre("members_overdue", "upstream_failing"));
}

// On a first start nobody is overdue for minutes, and with one member the breaker never opens.
TEST(Readiness, AFailureIsAReasonAtOnceWhereSomebodyNeedsAToken) {
  Health health;
  health.trouble = Trouble{.words = "Circle answers 503", .since = kT0, .failures = 1};
  constexpr auto kActive = static_cast<std::size_t>(MemberState::kActive);
  health.members.by_state[kActive] = health.members.fresh = 2;
  EXPECT_THAT(codes_of(health), ElementsAre()) << "every token is alive";
  health.members.fresh = 1;
  EXPECT_THAT(codes_of(health), ElementsAre("upstream_failing"));
  EXPECT_THAT(unready_reasons(health)[0].message, HasSubstr("Circle answers 503 (since "));
  health.members.left_out = 1;
  EXPECT_THAT(codes_of(health), ElementsAre()) << "that one gets a token when somebody asks";
  health.waiting_clients = 1;
  EXPECT_THAT(codes_of(health), ElementsAre("upstream_failing"));
  health.trouble.reset();
  EXPECT_THAT(codes_of(health), ElementsAre());
}

TEST(Readiness, WhatIsNoReason) {
  Health health;
  health.members.by_state.fill(9);
  health.members.tokens_to_revoke = health.doubts = health.waiting_clients = 9;
  health.rows_set_aside = 9;
  health.paused = Duration{9'000};
  health.clock_skew = Duration{-9'000};
  EXPECT_THAT(codes_of(health), ElementsAre());
}

TEST(Readiness, TheJsonQuotesNoFileAndNamesNoMember) {
  EXPECT_EQ(readiness_json({}), R"({"ready":true,"reasons":[]})");
  Health health;
  for (const Case& each : all_cases()) each.spoil(health);
  const std::string text = readiness_json(unready_reasons(health));
  EXPECT_THAT(text, HasSubstr(R"({"ready":false,"reasons":[{"code":"members_overdue","message":)"
                              R"("2 members have no live token"},{"code":)"));
  for (const char* inside : {"ada@", "roster.toml", "rotad.toml", "rota.db"}) {
    EXPECT_THAT(text, Not(HasSubstr(inside)));
  }
}

FileStanding good_files() {
  Readings readings;
  readings.roster_taken(readings.roster_read(), kT0);
  return readings.standing();
}

TEST(Health, OfAnEngineThatIsWell) {
  EngineBox box = box_with_grace();
  const Health health = health_of(box.engine, good_files(), box.now);
  EXPECT_THAT(codes_of(health), ElementsAre());
  EXPECT_EQ(health.members.by_state.at(static_cast<std::size_t>(MemberState::kActive)), 1U);
  EXPECT_EQ(health.members.fresh, 1U);
  EXPECT_EQ(health.budget_used, 1U);
  EXPECT_EQ(health.counts.calls.at(1).at(0), 1U) << "an issue that issued";
}

TEST(Health, AMemberIsOverdueFiveSecondsAfterTheEndOfItsToken) {
  EngineBox box = box_with_grace();
  const auto overdue = [&] { return health_of(box.engine, {}, box.now).members.overdue; };
  box.advance(std::chrono::hours{1} + std::chrono::seconds{5});
  EXPECT_EQ(overdue(), 0U) << "where tokens are replaced at their very end";
  box.advance(Duration{1});
  EXPECT_EQ(overdue(), 1U);
  box.settle();
  box.reply(box.newest_call(), refreshed("access-2", box.circle() + std::chrono::hours{1}));
  box.settle();
  EXPECT_EQ(overdue(), 0U);
}

// E2: nobody waits for these, and each gets its token in its turn.
TEST(Health, P12FirstIssuesUnderWayAreProgressAndNotOverdue) {
  Policy policy = exact_policy();
  policy.requests_per_window = 20;  // 18 in the background: 100 members take half an hour
  EngineBox box({}, policy);
  box.start();
  std::vector<RosterEntry> entries;
  for (int id = 1; id <= 100; ++id) entries.push_back(entry(fmt::format("id:{}", id)));
  box.roster(entries);
  const auto answer = [&box](std::size_t most) {
    for (const auto& call : box.open_calls()) {
      if (most-- == 0) return;
      const std::int64_t id = call.request.member.id();
      Issued pair = issued(fmt::format("a{}", id), fmt::format("r{}", id), box.circle(), id);
      pair.pair.access.expires_at += 24h;
      box.reply(call, pair, box.circle());
      box.settle();
    }
  };
  for (int minute = 0; minute < 15; ++minute) {
    box.run_for(1min);
    answer(100);
    const Health health = health_of(box.engine, good_files(), box.now);
    EXPECT_THAT(codes_of(health), ElementsAre()) << minute;
    EXPECT_LT(health.members.first_issues, 100U);
    EXPECT_GT(health.members.first_issues, 0U);
    EXPECT_NEAR(static_cast<double>(health.members.first_issues_left.count()),
                static_cast<double>(health.members.first_issues) * 300'000 / 18, 60'000.0);
  }
  // A client that waits for one of them is served first.
  const std::size_t sent = box.calls.size();
  const auto member = [&box](const char* key) {
    return static_cast<std::int64_t>(box.slot(key).record.id);
  };
  const WaitId wait = box.wait(member("id:99"), 60s);
  box.settle();
  ASSERT_EQ(box.calls.size(), sent + 1);
  EXPECT_EQ(box.calls.back().request.member.text(), "id:99");
  answer(100);
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);

  // Whoever is asked for and gets nothing is overdue soon, however many wait with it.
  box.wait(member("id:98"), 60s);
  box.settle();
  box.run_for(11s);
  EXPECT_EQ(count_members(box.engine, box.now).overdue, 1U);
  EXPECT_THAT(codes_of(health_of(box.engine, good_files(), box.now)),
              ElementsAre("members_overdue"));
  // And the others are, once nobody gets anything any more.
  box.run_for(5min);
  EXPECT_GT(count_members(box.engine, box.now).overdue, 40U);
}

TEST(Health, P12ATokenThatEndedIsOverdueThoughOthersWereIssuedBefore) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("id:7")});
  box.run_for(59min + 55s);
  for (const auto& call : box.open_calls()) {
    if (call.request.kind != CallKind::kIssue) continue;
    box.reply(call, issued("access-7", "refresh-7", box.circle(), 7), box.circle());
    box.settle();
  }
  box.run_for(11s);
  EXPECT_EQ(count_members(box.engine, box.now).overdue, 1U);
}

TEST(Health, ShowsAHeldPlanAFailingCommitAndARefusedAppToken) {
  Policy policy = exact_policy();
  policy.guard = {.max_retire_count = 0, .max_retire_fraction = 0};
  EngineBox box = box_with_grace(policy);
  box.roster({entry("id:7")});
  const Health held = health_of(box.engine, good_files(), box.now);
  ASSERT_TRUE(held.held_plan);
  EXPECT_EQ(held.held_plan->retire, 1U);
  EXPECT_EQ(held.held_plan->id, box.engine.held_plan()->id);
  box.commit_fail();
  EXPECT_EQ(health_of(box.engine, good_files(), box.now).commit_problem, "a test");
  box.advance(std::chrono::seconds{10});
  box.settle();
  box.reply(box.oldest_call(), AppTokenRefused{});
  EXPECT_EQ(health_of(box.engine, good_files(), box.now).breaker, BreakerState::kAppTokenRefused);
}

TEST(Readings, ARosterIsNotInForceBeforeOneWasTaken) {
  Readings readings;
  EXPECT_FALSE(readings.standing().roster_problem.empty());
  const auto reading = readings.roster_read();
  EXPECT_FALSE(readings.standing().roster_problem.empty()) << "it is not durable yet";
  readings.roster_taken(reading, kT0);
  EXPECT_TRUE(readings.standing().roster_problem.empty());
  EXPECT_EQ(readings.standing().roster_taken_at, kT0);
}

TEST(Readings, OnlyTheLatestReadingCounts) {
  Readings readings;
  const auto good = readings.roster_read();
  readings.roster_failed("bad");
  readings.roster_taken(good, kT0);
  EXPECT_EQ(readings.standing().roster_problem, "bad") << "what is on disk now is the bad one";
  EXPECT_EQ(readings.standing().roster_taken_at, kT0);
  readings.roster_taken(readings.roster_read(), kT0);
  EXPECT_EQ(readings.standing().roster_problem, "");
}

TEST(Readings, TheConfigurationStandsForItself) {
  Readings readings;
  readings.config_failed("bad");
  readings.roster_taken(readings.roster_read(), kT0);
  EXPECT_EQ(readings.standing().config_problem, "bad");
  readings.config_read();
  EXPECT_EQ(readings.standing().config_problem, "");
}

}  // namespace
}  // namespace rota::test
