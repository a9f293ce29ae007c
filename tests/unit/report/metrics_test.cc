#include "report/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "support/metrics.h"
#include "tests/unit/engine/engine_box.h"

namespace rota::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

rota::testing::Metrics read(Health health) {
  health.version = "1.2.3";
  auto metrics = rota::testing::parse_metrics(metrics_text(health));
  EXPECT_TRUE(metrics) << metrics.error();
  return metrics.value_or(rota::testing::Metrics{});
}

TEST(Metrics, FollowTheFormat) {
  const auto metrics = read({});
  EXPECT_EQ(metrics.at(R"(rota_build_info{version="1.2.3"})"), 1);
  EXPECT_EQ(metrics.size(), 290U);
  Health health;
  health.version = "1.2.3";
  EXPECT_THAT(metrics_text(health),
              ::testing::StartsWith("# HELP rota_build_info The running version, as a label.\n"
                                    "# TYPE rota_build_info gauge\n"
                                    "rota_build_info{version=\"1.2.3\"} 1\n"));
}

TEST(Metrics, ABudgetGroupHasItsOwn) {
  Health health;
  EXPECT_THAT(metrics_text(health), ::testing::Not(::testing::HasSubstr("rota_budget_group")));
  health.budget_group = {.name = "circle", .limit = 1'200, .used = 700, .share = 600, .members = 2};
  const std::string text = metrics_text(health);
  for (const char* sample :
       {"\nrota_budget_group_available 1\n", "\nrota_budget_group_members 2\n",
        "\nrota_budget_group_calls_used 700\n", "\nrota_budget_group_calls_limit 1200\n",
        "\nrota_budget_group_calls_share 600\n"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(sample));
  }
  health.budget_group->trouble = "gone";
  EXPECT_THAT(metrics_text(health), ::testing::HasSubstr("\nrota_budget_group_available 0\n"));
}

struct Case {
  const char* sample;
  double before;
  std::function<void(Health&)> change;
  double after;
};

std::vector<Case> all_cases() {
  const auto state = [](MemberState s) { return static_cast<std::size_t>(s); };
  return {
      {"rota_ready", 1, [](Health& h) { h.commit_problem = "full"; }, 0},
      {R"(rota_members{state="active"})", 0,
       [=](Health& h) { h.members.by_state.at(state(MemberState::kActive)) = 7; }, 7},
      {R"(rota_members{state="mismatched"})", 0,
       [=](Health& h) { h.members.by_state.at(state(MemberState::kMismatched)) = 1; }, 1},
      {R"(rota_members_by_source{source="roster"})", 0,
       [](Health& h) { h.members.named_by_roster = 4; }, 4},
      {R"(rota_members_by_source{source="enrolled"})", 0,
       [](Health& h) { h.members.only_enrolled = 5; }, 5},
      {"rota_logins_total", 0, [](Health& h) { h.clients.logins = 3; }, 3},
      {"rota_handle_refreshes_total", 0, [](Health& h) { h.clients.refreshes = 4; }, 4},
      {"rota_dead_handles_total", 0, [](Health& h) { h.clients.dead_handles = 5; }, 5},
      {R"(rota_client_fetches_total{client="other"})", 0,
       [](Health& h) { h.clients.fetches_of_others = 6; }, 6},
      {R"(rota_listener_requests_refused_total{reason="no_bearer"})", 0,
       [](Health& h) { h.clients.no_bearer = 7; }, 7},
      {R"(rota_listener_requests_refused_total{reason="unknown_bearer"})", 0,
       [](Health& h) { h.clients.unknown_bearer = 8; }, 8},
      {R"(rota_listener_requests_refused_total{reason="foreign"})", 0,
       [](Health& h) { h.clients.foreign = 9; }, 9},
      {R"(rota_lane_due_calls{lane="refresh"})", 0,
       [](Health& h) { h.backlogs[index_of(Lane::kRefresh)].calls = 3; }, 3},
      {R"(rota_lane_oldest_due_seconds{lane="revocation"})", 0,
       [](Health& h) { h.backlogs[index_of(Lane::kRevocation)].oldest = Duration{2'500}; }, 2.5},
      {"rota_tokens_given_total", 0, [](Health& h) { h.tokens_given = 7; }, 7},
      {R"(rota_connections{socket="token"})", 0, [](Health& h) { h.connections.token = 1; }, 1},
      {R"(rota_connections{socket="admin"})", 0, [](Health& h) { h.connections.admin = 2; }, 2},
      {R"(rota_connections{socket="listener"})", 0, [](Health& h) { h.connections.listener = 3; },
       3},
      {R"(rota_connections{socket="metrics"})", 0, [](Health& h) { h.connections.metrics = 4; }, 4},
      {"rota_member_kept_seconds_total", 0, [](Health& h) { h.freshness.kept_seconds = 60.5; },
       60.5},
      {"rota_member_overdue_seconds_total", 0, [](Health& h) { h.freshness.overdue_seconds = 2; },
       2},
      {R"(rota_call_duration_seconds_count{kind="refresh"})", 0,
       [](Health& h) { h.timings.calls[2].add(Duration{30}); }, 1},
      {R"(rota_call_duration_seconds_bucket{kind="issue",le="0.025"})", 0,
       [](Health& h) { h.timings.calls[1].add(Duration{25}); }, 1},
      {"rota_commit_duration_seconds_sum", 0,
       [](Health& h) { h.timings.commits.add(Duration{1'500}); }, 1.5},
      {R"(rota_wait_duration_seconds_bucket{le="+Inf"})", 0,
       [](Health& h) { h.timings.waits.add(std::chrono::hours{1}); }, 1},
      {R"(rota_loop_lag_seconds_bucket{le="0.0005"})", 0,
       [](Health& h) { h.timings.loop_lag.add(Duration{0}); }, 1},
      {"process_cpu_seconds_total", 0, [](Health& h) { h.process.cpu_seconds = 1.25; }, 1.25},
      {"process_resident_memory_bytes", 0, [](Health& h) { h.process.resident_bytes = 4096; },
       4096},
      {"process_virtual_memory_bytes", 0, [](Health& h) { h.process.virtual_bytes = 8192; }, 8192},
      {"process_open_fds", 0, [](Health& h) { h.process.open_fds = 12; }, 12},
      {"process_max_fds", 0, [](Health& h) { h.process.max_fds = 1024; }, 1024},
      {"process_start_time_seconds", 0,
       [](Health& h) { h.process.started_at = WallTime{Duration{1'500}}; }, 1.5},
      {"rota_members_fresh", 0, [](Health& h) { h.members.fresh = 5; }, 5},
      {"rota_members_overdue", 0, [](Health& h) { h.members.overdue = 2; }, 2},
      {"rota_members_first_issue", 0, [](Health& h) { h.members.first_issues = 6; }, 6},
      {"rota_members_dead_on_arrival", 0, [](Health& h) { h.members.dead_on_arrival = 3; }, 3},
      {"rota_tokens_to_revoke", 0, [](Health& h) { h.members.tokens_to_revoke = 3; }, 3},
      {"rota_waiting_clients", 0, [](Health& h) { h.waiting_clients = 4; }, 4},
      {R"(rota_calls_total{kind="issue",outcome="issued"})", 0,
       [](Health& h) { h.counts.calls[1][0] = 8; }, 8},
      {R"(rota_calls_total{kind="revoke_access",outcome="transient"})", 0,
       [](Health& h) { h.counts.calls[4][10] = 1; }, 1},
      {"rota_calls_throttled_total", 0, [](Health& h) { h.counts.throttled = 2; }, 2},
      {R"(rota_connections_refused_total{limit="all"})", 0, [](Health& h) { h.refused_in_all = 3; },
       3},
      {R"(rota_connections_refused_total{limit="uid"})", 0, [](Health& h) { h.refused_of_uid = 4; },
       4},
      {R"(rota_connections_refused_total{limit="rate"})", 0,
       [](Health& h) { h.refused_by_rate = 5; }, 5},
      {"rota_calls_in_flight", 0, [](Health& h) { h.calls_in_flight = 2; }, 2},
      {"rota_call_doubts", 0, [](Health& h) { h.doubts = 1; }, 1},
      {"rota_budget_calls_used", 0, [](Health& h) { h.budget_used = 11; }, 11},
      {"rota_budget_calls_limit", 0, [](Health& h) { h.budget_limit = 1'200; }, 1'200},
      {R"(rota_upstream_breaker{state="closed"})", 1,
       [](Health& h) { h.breaker = BreakerState::kFailing; }, 0},
      {R"(rota_upstream_breaker{state="failing"})", 0,
       [](Health& h) { h.breaker = BreakerState::kFailing; }, 1},
      {"rota_upstream_paused_seconds", 0, [](Health& h) { h.paused = Duration{2'500}; }, 2.5},
      {"rota_clock_skew_seconds", 0, [](Health& h) { h.clock_skew = Duration{-1'250}; }, -1.25},
      {"rota_clock_confirmed", 0, [](Health& h) { h.clock_confirmed = true; }, 1},
      {"rota_commits_ok", 1, [](Health& h) { h.commit_problem = "full"; }, 0},
      {"rota_store_rows_set_aside", 0, [](Health& h) { h.rows_set_aside = 6; }, 6},
      {"rota_config_in_force", 1, [](Health& h) { h.files.config_problem = "bad"; }, 0},
      {"rota_roster_in_force", 1, [](Health& h) { h.files.roster_problem = "bad"; }, 0},
      {"rota_roster_in_force", 1, [](Health& h) { h.held_plan = {.id = "x", .retire = 1}; }, 0},
      {"rota_audit_entries_total", 0, [](Health& h) { h.audit.entries = 9; }, 9},
      {"rota_audit_folded_total", 0, [](Health& h) { h.audit.folded = 8; }, 8},
      {"rota_audit_entries_waiting", 0, [](Health& h) { h.audit.waiting = 7; }, 7},
      {R"(rota_events_total{event="signed_out"})", 0,
       [](Health& h) { h.audit.events.at(static_cast<std::size_t>(AuditEvent::kSignedOut)) = 3; },
       3},
      {R"(rota_events_total{event="app_token_accepted"})", 0,
       [](Health& h) { h.audit.events.back() = 4; }, 4},
      {"rota_audit_ok", 1, [](Health& h) { h.audit.failing = true; }, 0},
      {"rota_roster_plan_held", 0, [](Health& h) { h.held_plan = {.id = "x", .retire = 1}; }, 1},
  };
}

TEST(Metrics, EachShowsItsValue) {
  const auto before = read({});
  for (const Case& each : all_cases()) {
    Health health;
    each.change(health);
    const auto after = read(health);
    ASSERT_TRUE(before.contains(each.sample)) << each.sample;
    EXPECT_EQ(before.at(each.sample), each.before) << each.sample;
    EXPECT_EQ(after.at(each.sample), each.after) << each.sample;
  }
}

TEST(Metrics, EachErrorCodeHasASample) {
  Health health;
  health.error_replies = {{"member_unknown", 3}, {"forbidden", 0}};
  const auto metrics = read(health);
  EXPECT_EQ(metrics.at(R"(rota_error_replies_total{code="member_unknown"})"), 3);
  EXPECT_EQ(metrics.at(R"(rota_error_replies_total{code="forbidden"})"), 0);
}

TEST(Metrics, TheLeastLifeIsThereIfATokenLives) {
  const char* const sample = "rota_least_remaining_life_seconds";
  EXPECT_FALSE(read({}).contains(sample));
  Health health;
  health.members.least_life = Duration{90'500};
  EXPECT_EQ(read(health).at(sample), 90.5);
}

TEST(Metrics, EachClientOfAListenerHasASample) {
  Health health;
  health.clients.fetches = {{"blog-2", 3}, {"shop.example", 4}};
  const auto metrics = read(health);
  EXPECT_EQ(metrics.at(R"(rota_client_fetches_total{client="blog-2"})"), 3);
  EXPECT_EQ(metrics.at(R"(rota_client_fetches_total{client="shop.example"})"), 4);
}

TEST(Metrics, TheTimeOfTheLastRosterIsThereOnceThereIsOne) {
  const char* const sample = "rota_roster_last_success_timestamp_seconds";
  EXPECT_FALSE(read({}).contains(sample));
  Health health;
  health.files.roster_taken_at = kT0 + Duration{500};
  EXPECT_EQ(read(health).at(sample), 1'710'950'400.5);
}

TEST(Metrics, TheTimeOfTheLastGoodReplyIsThereOnceThereIsOne) {
  const char* const sample = "rota_upstream_last_success_timestamp_seconds";
  EXPECT_FALSE(read({}).contains(sample));
  Health health;
  health.last_good_reply = kT0 + Duration{500};
  EXPECT_EQ(read(health).at(sample), 1'710'950'400.5);
}

TEST(Metrics, OfAnEngineNameNobodyAndHoldNoToken) {
  Policy policy = exact_policy();
  policy.guard = {.max_retire_count = 0, .max_retire_fraction = 0};
  EngineBox box = box_with_grace(policy);
  box.roster({entry("id:7")});
  Health health = health_of(box.engine, {}, box.now);
  health.files.roster_problem = "roster.toml:1: email:ada@example.com";
  const auto metrics = read(health);
  EXPECT_EQ(metrics.at("rota_roster_plan_held"), 1) << "the guard holds the retirement";
  EXPECT_EQ(metrics.at(R"(rota_members{state="active"})"), 2);
  EXPECT_EQ(metrics.at(R"(rota_calls_total{kind="issue",outcome="issued"})"), 1);
  const std::string text = metrics_text(health);
  for (const char* inside : {"grace", "ada", "access-1", "refresh-1", "id:"}) {
    EXPECT_THAT(text, Not(HasSubstr(inside)));
  }
}

// The reader itself, or the tests above would prove nothing.
TEST(MetricsReader, RefusesWhatIsNotTheFormat) {
  const std::string good = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"y\"} 1\n";
  EXPECT_TRUE(rota::testing::parse_metrics(good));
  for (const char* bad :
       {"a 1\n", "# HELP a A.\n# TYPE a gauge\na 1", "# HELP a A.\n# TYPE a gauge\n",
        "# HELP a A.\n# TYPE a counter\na 1\n",
        "# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n", "# TYPE a gauge\na 1\n",
        "# HELP a A.\na 1\n", "# HELP a A.\n# TYPE a gauge\nb 1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\na 1\n", "# HELP a A.\n# TYPE a gauge\na one\n",
        "# HELP a A.\n# TYPE a gauge\na{x=y} 1\n", "# HELP a A.\n# TYPE a gauge\na 1\n\n",
        "# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n", "# HELP a A.\n# TYPE a histogram\na 1\n",
        "# HELP a A.\n# TYPE a histogram\na_bucket 1\n",
        "# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"2\"} 1\na_count 1\n",
        "# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_count 1\n",
        "# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_sum 1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n# TYPE a gauge\na{x=\"y\"} 1\n"}) {
    EXPECT_FALSE(rota::testing::parse_metrics(bad)) << bad;
  }
}

}  // namespace
}  // namespace rota::test
