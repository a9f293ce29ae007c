#include "report/health.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/check.h"
#include "base/text.h"

namespace rota {
namespace {

// Of the background's calls in a window. What it needs for the members that have tokens is not
// there for the `waiting` ones, who get their least share at any rate.
double first_issues_a_window(Engine& engine, std::size_t waiting) {
  const Policy& policy = engine.policy();
  const double calls = static_cast<double>(engine.budget().background_limit());
  const double refreshed = static_cast<double>(engine.members().upkeep().kept() - waiting);
  const double refreshes = refreshed * static_cast<double>(policy.window.count()) /
                           static_cast<double>(refresh_interval(policy, engine.facts()).count());
  return std::max(calls - refreshes, calls / LanePicker::kLeastShare);
}

// A disk that hangs lets a commit run for long, before one fails.
constexpr Duration kCommitSlow = std::chrono::seconds{10};

std::string who_is_overdue(const Health::Members& members) {
  const std::size_t idle = members.overdue_idle;
  // Members with a token that was dead on arrival count even if they are not in use.
  if (members.dead_on_arrival > 0) {
    return counted(members.overdue, "member has", "members have") + " no live token";
  }
  if (idle == 0) {
    return counted(members.overdue, "member in use has", "members in use have") + " no live token";
  }
  std::string text = counted(members.overdue, "member has", "members have") +
                     " no live token, and issuing has stalled";
  if (members.overdue > idle) text += fmt::format("; {} of them in use", members.overdue - idle);
  return text;
}

std::string commit_problem(const Engine& engine, Now now) {
  if (engine.outbox().error()) return engine.outbox().error()->message;
  const Duration running = engine.outbox().running_for(now.boot);
  if (running < kCommitSlow) return {};
  return fmt::format("a commit has been running for {} s", running / std::chrono::seconds{1});
}

// Whether anybody feels that calls fail: a client waits, or a member that is kept fresh has no
// token.
bool needs_a_token(const Health& health) {
  const Health::Members& members = health.members;
  const std::size_t active = members.by_state[static_cast<std::size_t>(MemberState::kActive)];
  return health.waiting_clients > 0 || members.overdue > 0 ||
         active > members.fresh + members.left_out;
}

std::array<Health::Backlog, kLaneCount> backlogs_of(const Engine& engine, Now now) {
  std::array<Health::Backlog, kLaneCount> backlogs{};
  for (const Lane lane : kLanes) backlogs[index_of(lane)] = engine.backlog(lane, now);
  return backlogs;
}

std::array<std::size_t, Health::kDueSteps> calls_due_of(const Engine& engine, Now now) {
  std::array<std::size_t, Health::kDueSteps> steps{};
  std::size_t before = 0;
  WallTime end = engine.circle_now(now);
  for (std::size_t& step : steps) {
    end += Health::kDueStep;
    const std::size_t due = engine.calls_due_before(end);
    step = due - before;
    before = due;
  }
  return steps;
}

}  // namespace

Health::Members count_members(Engine& engine, Now now) {
  const WallTime circle = engine.circle_now(now);
  Census& census = engine.census();
  const std::size_t waiting = census.first_issues();
  const double a_window = first_issues_a_window(engine, waiting);
  const std::size_t idle = (engine.first_issues_go_on(now) ? 0 : census.overdue_first(circle)) +
                           (engine.idle_issues_go_on(now) ? 0 : census.overdue_idle(circle));
  Health::Members members{.by_state = {},
                          .fresh = census.fresh(circle),
                          .overdue = census.overdue_in_use(circle) + idle,
                          .overdue_idle = idle,
                          .first_issues = waiting,
                          .first_issues_left = std::chrono::duration_cast<Duration>(
                              static_cast<double>(waiting) / a_window * engine.policy().window),
                          .first_issues_a_window = static_cast<std::size_t>(a_window),
                          .without_token = census.without_token(),
                          .kept = engine.members().upkeep().kept(),
                          .dead_on_arrival = engine.gate().dead_arrivals().members(),
                          .left_out = engine.members().upkeep().left_out(),
                          .fits = engine.members().upkeep().capacity(),
                          .tokens_to_revoke = census.revoking(),
                          .tokens_hold_until = census.first_end(circle)};
  for (const MemberState state : kMemberStates) {
    members.by_state[static_cast<std::size_t>(state)] = census.in_state(state);
  }
  members.named_by_roster = census.named_by_roster();
  members.only_enrolled = census.only_enrolled();
  if (members.tokens_hold_until) members.least_life = *members.tokens_hold_until - circle;
  return members;
}

Health health_of(Engine& engine, const FileStanding& files, Now now) {
  const auto paused = engine.budget().paused_until(now.boot);
  const RosterPlanPtr& held = engine.held_plan();
  return {.members = count_members(engine, now),
          .doubts = engine.journal().doubts(),
          .rows_set_aside = engine.rows_set_aside(),
          .waiting_clients = engine.waits(),
          .calls_in_flight = engine.gate().in_flight(),
          .backlogs = backlogs_of(engine, now),
          .calls_due = calls_due_of(engine, now),
          .counts = engine.counts(),
          .budget_used = engine.budget().used(now.boot),
          .budget_limit = engine.budget().limit(),
          .budget_window = engine.policy().window,
          .guard = engine.policy().guard,
          .paused = paused ? *paused - now.boot : Duration{0},
          .breaker = engine.gate().breaker().state(),
          .trouble = engine.gate().trouble(),
          .last_good_reply = engine.gate().last_good_reply(),
          .clock_skew = engine.clock().skew(now),
          .clock_confirmed = engine.clock().confirmed(),
          .clock_doubted = engine.clock().doubted(),
          .early_refresh_useless = engine.facts().early_refresh_useless,
          .access_token_lifetime = engine.facts().access_lifetime,
          .next_call_in = engine.next_call_in(now),
          .commits_fail = engine.outbox().error().has_value(),
          .commit_problem = commit_problem(engine, now),
          .held_plan = held != nullptr
                           ? std::optional(Health::HeldPlan{held->id, held->retire.size(), held})
                           : std::nullopt,
          .removals_held_back = engine.removals().held_back(),
          .files = files};
}

std::string_view name_of(UnreadyCode code) {
  switch (code) {
    case UnreadyCode::kMembersOverdue:
      return "members_overdue";
    case UnreadyCode::kDatabaseGone:
      return "database_gone";
    case UnreadyCode::kSocketGone:
      return "socket_gone";
    case UnreadyCode::kCommitFailing:
      return "commit_failing";
    case UnreadyCode::kConfigNotInForce:
      return "config_not_in_force";
    case UnreadyCode::kAppTokenNotRead:
      return "app_token_not_read";
    case UnreadyCode::kGrantsHeldBack:
      return "grants_held_back";
    case UnreadyCode::kGrantsWait:
      return "grants_wait";
    case UnreadyCode::kListenerNotListening:
      return "listener_not_listening";
    case UnreadyCode::kMetricsNotListening:
      return "metrics_not_listening";
    case UnreadyCode::kBudgetGroupUnavailable:
      return "budget_group_unavailable";
    case UnreadyCode::kRosterNotInForce:
      return "roster_not_in_force";
    case UnreadyCode::kRosterPlanHeld:
      return "roster_plan_held";
    case UnreadyCode::kAppTokenRefused:
      return "upstream_app_token_refused";
    case UnreadyCode::kNotEligible:
      return "upstream_not_eligible";
    case UnreadyCode::kDeadOnArrival:
      return "tokens_dead_on_arrival";
    case UnreadyCode::kUpstreamFailing:
      return "upstream_failing";
  }
  ROTA_CHECK(false);
}

std::vector<UnreadyReason> unready_reasons(const Health& health) {
  std::vector<UnreadyReason> reasons;
  const auto add = [&reasons](UnreadyCode code, std::string message, std::string detail = {}) {
    reasons.push_back({code, std::move(message), std::move(detail)});
  };
  const std::size_t overdue = health.members.overdue;
  if (overdue > 0) add(UnreadyCode::kMembersOverdue, who_is_overdue(health.members));
  if (!health.database_problem.empty()) {
    add(UnreadyCode::kDatabaseGone, "the database was moved, removed, replaced or overwritten",
        health.database_problem);
  }
  if (!health.socket_problem.empty()) {
    add(UnreadyCode::kSocketGone, "a socket's file is gone", health.socket_problem);
  }
  if (!health.commit_problem.empty()) {
    add(UnreadyCode::kCommitFailing, "commits to the database fail or hang", health.commit_problem);
  }
  if (!health.files.config_problem.empty()) {
    add(UnreadyCode::kConfigNotInForce, "the configuration on disk is not usable",
        health.files.config_problem);
  }
  if (!health.files.app_token_problem.empty()) {
    add(UnreadyCode::kAppTokenNotRead, "the app token on disk cannot be read",
        health.files.app_token_problem);
  }
  if (const auto& held = health.files.held_grants; !held.empty()) {
    add(UnreadyCode::kGrantsHeldBack,
        counted(held.size(), "grant names", "grants name") +
            " a user or group that cannot be found, and " + (held.size() == 1 ? "is" : "are") +
            " held back",
        fmt::format("{}", fmt::join(held, "; ")));
  }
  const bool broken = !health.files.config_problem.empty();  // says the same of the grants
  if (health.files.grants_unread && !broken) {
    add(UnreadyCode::kGrantsWait,
        "the grants on disk changed together with the roster: removed grants are withdrawn, added "
        "ones wait for a reload");
  } else if (health.files.grants_wait) {
    add(UnreadyCode::kGrantsWait, "added grants wait until the whole roster is in force");
  }
  if (!health.listener_problem.empty()) {
    add(UnreadyCode::kListenerNotListening, "rotad is not listening on each [[listener]]",
        health.listener_problem);
  }
  if (!health.metrics_problem.empty()) {
    add(UnreadyCode::kMetricsNotListening, "rotad is not listening on metrics_listen",
        health.metrics_problem);
  }
  if (health.budget_group && !health.budget_group->trouble.empty()) {
    add(UnreadyCode::kBudgetGroupUnavailable,
        "the budget that is shared with other daemons cannot be used: rotad makes only a sixteenth "
        "of the calls",
        health.budget_group->trouble);
  }
  if (!health.files.roster_problem.empty()) {
    add(UnreadyCode::kRosterNotInForce, "the roster on disk is not in force",
        health.files.roster_problem);
  }
  if (health.held_plan) {
    add(UnreadyCode::kRosterPlanHeld,
        fmt::format("plan {} would retire {} and waits for an operator", health.held_plan->id,
                    counted(health.held_plan->retire, "member", "members")));
  }
  if (health.members.dead_on_arrival > 0) {
    add(UnreadyCode::kDeadOnArrival,
        fmt::format("Circle gave {} a token that had already expired when it arrived",
                    counted(health.members.dead_on_arrival, "member", "members")));
  }
  switch (health.breaker) {
    case BreakerState::kClosed:
    case BreakerState::kFailing:
      if (health.trouble && needs_a_token(health)) {
        add(UnreadyCode::kUpstreamFailing, describe(*health.trouble));
      } else if (health.breaker == BreakerState::kFailing && overdue > 0) {
        add(UnreadyCode::kUpstreamFailing, "Circle gives no usable replies");
      }
      break;
    case BreakerState::kAppTokenRefused:
      add(UnreadyCode::kAppTokenRefused, "Circle refuses the app token");
      break;
    case BreakerState::kNotEligible:
      add(UnreadyCode::kNotEligible, "Circle refuses the community");
      break;
  }
  return reasons;
}

std::string readiness_json(const std::vector<UnreadyReason>& reasons) {
  boost::json::array list;
  for (const UnreadyReason& reason : reasons) {
    list.push_back({{"code", std::string(name_of(reason.code))}, {"message", reason.message}});
  }
  return boost::json::serialize(
      boost::json::object{{"ready", reasons.empty()}, {"reasons", std::move(list)}});
}

}  // namespace rota
