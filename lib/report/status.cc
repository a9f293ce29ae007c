#include "report/status.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"

namespace rota {
namespace {

namespace json = boost::json;

json::object members_of(const Health::Members& standing) {
  json::object members;
  for (const MemberState state : kMemberStates) {
    members[std::string(name_of(state))] = standing.in_state(state);
  }
  members["fresh"] = standing.fresh;
  members["overdue"] = standing.overdue;
  members["dead_on_arrival"] = standing.dead_on_arrival;
  members["tokens_hold_until"] = standing.tokens_hold_until
                                     ? json::value(format_iso8601(*standing.tokens_hold_until))
                                     : nullptr;
  return members;
}

json::array not_ready(const std::vector<UnreadyReason>& unready) {
  json::array reasons;
  for (const UnreadyReason& reason : unready) {
    reasons.push_back({{"code", std::string(name_of(reason.code))},
                       {"message", reason.message},
                       {"detail", reason.detail}});
  }
  return reasons;
}

// Null: the budget is this daemon's alone.
json::value budget_group_of(const Health& health) {
  if (!health.budget_group) return nullptr;
  const SharedBudget::View& group = *health.budget_group;
  return json::object{
      {"name", group.name},
      {"trouble", group.trouble.empty() ? json::value(nullptr) : json::value(group.trouble)},
      {"members", group.members},
      {"window_used", group.used},
      {"window_limit", group.limit},
      {"own", group.own},
      {"share", group.share}};
}

json::object upstream_of(const Health& health) {
  json::value trouble = nullptr;
  if (health.trouble) {
    trouble = json::object{{"what", health.trouble->words},
                           {"since", format_iso8601(health.trouble->since)},
                           {"failures", health.trouble->failures}};
  }
  return {{"breaker", std::string(name_of(health.breaker))},
          {"trouble", std::move(trouble)},
          {"last_success_at",
           health.last_good_reply ? json::value(format_iso8601(*health.last_good_reply)) : nullptr},
          {"next_call_in_ms",
           health.next_call_in ? json::value(health.next_call_in->count()) : nullptr},
          {"calls_in_flight", health.calls_in_flight},
          {"window_used", health.budget_used},
          {"window_limit", health.budget_limit},
          {"window_ms", health.budget_window.count()},
          {"budget_group", budget_group_of(health)},
          {"paused_ms", health.paused.count()},
          {"clock_skew_ms", health.clock_skew.count()},
          {"clock_confirmed", health.clock_confirmed},
          {"clock_doubted", health.clock_doubted},
          {"early_refresh_useless", health.early_refresh_useless},
          {"access_token_lifetime_ms", health.access_token_lifetime.count()}};
}

std::uint64_t errors_of(const Health& health) {
  std::uint64_t errors = 0;
  for (const auto& [code, count] : health.error_replies) errors += count;
  return errors;
}

json::array calls_due_of(const Health& health) {
  json::array steps;
  for (const std::size_t calls : health.calls_due) steps.emplace_back(calls);
  return steps;
}

}  // namespace

std::string status_json(const Health& health) {
  const Health::Members& standing = health.members;
  const std::vector<UnreadyReason> unready = unready_reasons(health);
  const json::object status{
      {"version", health.version},
      {"host", health.host},
      {"started_at", format_iso8601(health.process.started_at)},
      {"summary", status_line(health)},
      {"ready", unready.empty()},
      {"not_ready", not_ready(unready)},
      {"members", members_of(standing)},
      {"sources", {{"roster", standing.named_by_roster}, {"enrolled", standing.only_enrolled}}},
      {"upkeep",
       {{"fits", standing.fits}, {"kept", standing.kept}, {"left_out", standing.left_out}}},
      {"first_issues",
       {{"waiting", standing.without_token},
        {"issued", standing.kept - standing.without_token},
        {"of", standing.kept},
        {"left_ms", health.trouble ? json::value() : standing.first_issues_left.count()},
        {"a_window", standing.first_issues_a_window}}},
      {"guard",
       {{"max_retire_count", health.guard.max_retire_count},
        {"max_retire_fraction", health.guard.max_retire_fraction}}},
      {"tokens_to_revoke", standing.tokens_to_revoke},
      {"doubts", health.doubts},
      {"rows_set_aside", health.rows_set_aside},
      {"waiting_clients", health.waiting_clients},
      {"fetches", {{"tokens", health.tokens_given}, {"errors", errors_of(health)}}},
      {"roster",
       {{"in_force_since", health.files.roster_taken_at
                               ? json::value(format_iso8601(*health.files.roster_taken_at))
                               : nullptr}}},
      {"calls_due", {{"step_ms", Health::kDueStep.count()}, {"steps", calls_due_of(health)}}},
      {"upstream", upstream_of(health)},
      {"calls",
       {{"issued", health.counts.issues},
        {"refreshed", health.counts.refreshes},
        {"revoked", health.counts.revocations},
        {"failed", health.counts.failures},
        {"throttled", health.counts.throttled}}},
      {"store", {{"commits", health.commits_fail ? "failing" : "ok"}}},
      {"removals_held_back", json::value_from(health.removals_held_back)}};
  // It may be long, and was written down when it was held.
  std::string text = json::serialize(status);
  text.pop_back();
  text += R"(,"roster_plan_held":)";
  const bool held = health.held_plan && health.held_plan->plan;
  text += held ? std::string_view(health.held_plan->plan->json) : "null";
  text += '}';
  return text;
}

std::string status_line(const Health& health) {
  const Health::Members& standing = health.members;
  std::string line;
  if (health.commits_fail) line += "commits fail; ";
  if (health.breaker != BreakerState::kClosed) {
    line += fmt::format("upstream {}; ", name_of(health.breaker));
  }
  // The other states say as much themselves.
  const bool says_why = health.breaker == BreakerState::kAppTokenRefused ||
                        health.breaker == BreakerState::kNotEligible;
  if (health.trouble && !says_why) line += describe(*health.trouble) + "; ";
  if (health.held_plan) {
    line += fmt::format("roster plan {} held for approval; ", health.held_plan->id);
  }
  if (!health.removals_held_back.empty()) {
    line += fmt::format("removals by {} held back; ", fmt::join(health.removals_held_back, ", "));
  }
  const std::size_t active = standing.in_state(MemberState::kActive);
  line += fmt::format("{} of {} {} fresh", grouped(standing.fresh), grouped(active),
                      active == 1 ? "member" : "members");
  if (standing.without_token > 0) {
    line += fmt::format("; first tokens: {} of {} issued",
                        grouped(standing.kept - standing.without_token), grouped(standing.kept));
    // Nobody knows that while calls fail. Those that clients wait for come at once.
    if (!health.trouble && standing.first_issues > 0) {
      const auto minutes = std::chrono::ceil<std::chrono::minutes>(standing.first_issues_left);
      line += fmt::format(", about {} min to go", grouped(minutes.count()));
    }
  }
  if (standing.left_out > 0) {
    line += fmt::format("; the budget keeps {} fresh, {} are issued on demand",
                        grouped(standing.fits), grouped(standing.left_out));
  }
  if (standing.tokens_to_revoke > 0) {
    line += fmt::format("; {} {} to revoke", grouped(standing.tokens_to_revoke),
                        standing.tokens_to_revoke == 1 ? "token" : "tokens");
  }
  if (standing.tokens_hold_until && health.trouble) {
    line += fmt::format("; tokens are valid until {} UTC", minute_of(*standing.tokens_hold_until));
  }
  if (health.next_call_in) {
    // Rounded up: "0 s" is for a call that is made now.
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*health.next_call_in).count();
    line += fmt::format("; next call in {} s", grouped(seconds));
  }
  return line;
}

}  // namespace rota
