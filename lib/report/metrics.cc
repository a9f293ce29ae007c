#include "report/metrics.h"

#include <fmt/format.h>

#include <iterator>

#include "model/outcome.h"

// The parts of the Prometheus text format (version 0.0.4) that are used here:
//
//   metric = "# HELP " name " " text LF "# TYPE " name " " ("gauge" / "counter" / "histogram") LF
//            1*sample
//   sample = name [ "{" label "=" DQUOTE value DQUOTE *( "," … ) "}" ] " " number LF
//
// A histogram's samples have its name with _bucket, _sum or _count behind.
//
// No help text and no label value needs escaping: they are constants of ours, and names of clients.

namespace rota {
namespace {

class Writer {
 public:
  // Begins a metric; its samples follow.
  void gauge(std::string_view name, std::string_view help) { begin(name, "gauge", help); }
  void counter(std::string_view name, std::string_view help) { begin(name, "counter", help); }
  void histogram(std::string_view name, std::string_view help) { begin(name, "histogram", help); }
  template <class Number>
  void sample(std::string_view labels, Number value) {
    sample("", labels, value);
  }
  // All samples of one histogram.
  void samples(std::string_view labels, const Histogram& histogram) {
    const std::string_view comma = labels.empty() ? "" : ",";
    for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
      const double bound = std::chrono::duration<double>(Histogram::kBounds[i]).count();
      sample("_bucket", fmt::format("{}{}le=\"{}\"", labels, comma, bound), histogram.at_most(i));
    }
    sample("_bucket", fmt::format("{}{}le=\"+Inf\"", labels, comma), histogram.count());
    sample("_sum", labels, std::chrono::duration<double>(histogram.sum()).count());
    sample("_count", labels, histogram.count());
  }

  // A metric of one sample, or of one histogram.
  void histogram(std::string_view name, std::string_view help, const Histogram& value) {
    histogram(name, help);
    samples("", value);
  }
  template <class Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    gauge(name, help);
    sample("", value);
  }

  template <class Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    counter(name, help);
    sample("", value);
  }

  std::string text() { return fmt::to_string(text_); }

 private:
  template <class Number>
  void sample(std::string_view suffix, std::string_view labels, Number value) {
    const bool any = !labels.empty();
    fmt::format_to(std::back_inserter(text_), "{}{}{}{}{} {}\n", name_, suffix, any ? "{" : "",
                   labels, any ? "}" : "", value);
  }
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
  }

  std::string_view name_;
  fmt::memory_buffer text_;
};

int flag(bool value) { return value ? 1 : 0; }
double seconds(Duration value) { return std::chrono::duration<double>(value).count(); }

void write_members(Writer& out, const Health::Members& members) {
  out.gauge("rota_members", "Members on record, by state.");
  for (const MemberState state : kMemberStates) {
    out.sample(fmt::format("state=\"{}\"", name_of(state)),
               members.by_state[static_cast<std::size_t>(state)]);
  }
  out.gauge("rota_members_fresh", "Active members whose access token is alive.", members.fresh);
  out.gauge("rota_members_overdue", "Members that should have a live access token and have none.",
            members.overdue);
  out.gauge("rota_members_first_issue",
            "Members that wait for their first token and that no client has asked for yet.",
            members.first_issues);
  out.gauge("rota_members_dead_on_arrival",
            "Members whose last token had already expired when it arrived.",
            members.dead_on_arrival);
  out.gauge("rota_members_left_out",
            "Active members that the budget cannot keep fresh: their tokens are issued on demand.",
            members.left_out);
  out.gauge("rota_members_fit", "How many members the budget can keep fresh.", members.fits);
  out.gauge("rota_members_by_source",
            "Members on record, by whose word they are members: the roster's, or only clients'.");
  out.sample("source=\"roster\"", members.named_by_roster);
  out.sample("source=\"enrolled\"", members.only_enrolled);
  out.gauge("rota_tokens_to_revoke", "Tokens on record that are still to be revoked.",
            members.tokens_to_revoke);
}

// Names of clients hold letters, digits, dots, hyphens and underscores only.
void write_clients(Writer& out, const ClientCounts& clients) {
  out.counter("rota_logins_total",
              "Logins by Circle's auth_token that were answered with a token and a handle.",
              clients.logins);
  out.counter("rota_handle_refreshes_total",
              "Refreshes by a handle that were answered with a token.", clients.refreshes);
  out.counter("rota_dead_handles_total",
              "Handles that were refused: revoked, expired, of another client, or made up.",
              clients.dead_handles);
  out.counter(
      "rota_client_fetches_total",
      "Tokens given to clients of listeners, by client; \"other\": those without a sample of "
      "their own.");
  for (const auto& [client, fetches] : clients.fetches) {
    out.sample(fmt::format("client=\"{}\"", client), fetches);
  }
  out.sample("client=\"other\"", clients.fetches_of_others);
  out.counter("rota_listener_requests_refused_total",
              "Requests on listeners that no client's token came with, or that a browser made.");
  out.sample("reason=\"no_bearer\"", clients.no_bearer);
  out.sample("reason=\"unknown_bearer\"", clients.unknown_bearer);
  out.sample("reason=\"foreign\"", clients.foreign);
}

constexpr std::array kKinds{CallKind::kIssue, CallKind::kRefresh, CallKind::kRevokeRefresh,
                            CallKind::kRevokeAccess};

// Nothing, if the budget is this daemon's alone.
void write_budget_group(Writer& out, const Health& health) {
  if (!health.budget_group) return;
  const SharedBudget::View& group = *health.budget_group;
  out.gauge("rota_budget_group_available",
            "Whether the budget that is shared with other daemons can be used.",
            group.trouble.empty() ? 1 : 0);
  out.gauge("rota_budget_group_members", "Daemons that share the budget and run.", group.members);
  out.gauge("rota_budget_group_calls_used",
            "Calls of all daemons of the group that count in the current window.", group.used);
  out.gauge("rota_budget_group_calls_limit", "Calls that the group's budget allows in one window.",
            group.limit);
  out.gauge("rota_budget_group_calls_share",
            "Of these, the calls that are this daemon's when all are busy.", group.share);
}

void write_calls(Writer& out, const Health& health) {
  out.counter("rota_calls_total", "Calls to Circle that ended, by kind and outcome.");
  for (const CallKind kind : kKinds) {
    const auto& by_outcome = health.counts.calls[static_cast<std::size_t>(kind)];
    for (std::size_t outcome = 0; outcome < by_outcome.size(); ++outcome) {
      out.sample(fmt::format("kind=\"{}\",outcome=\"{}\"", name_of(kind), outcome_name(outcome)),
                 by_outcome[outcome]);
    }
  }
  out.counter("rota_calls_throttled_total", "Calls that Circle answered with 429.");
  out.sample("", health.counts.throttled);
  out.gauge("rota_calls_in_flight",
            "Calls to Circle that wait for a reply or for their journal row.",
            health.calls_in_flight);
  out.gauge("rota_call_doubts", "Calls of unknown fate whose lost token may still be alive.",
            health.doubts);
  out.gauge("rota_budget_calls_used", "Calls that count in the current window of the budget.",
            health.budget_used);
  out.gauge("rota_budget_calls_limit", "Calls that the budget allows in one window.",
            health.budget_limit);
  write_budget_group(out, health);
}

void write_lanes(Writer& out, const Health& health) {
  out.gauge("rota_lane_due_calls", "Calls that are due and were not sent yet, by lane.");
  for (const Lane lane : kLanes) {
    out.sample(fmt::format("lane=\"{}\"", traits_of(lane).name),
               health.backlogs[index_of(lane)].calls);
  }
  out.gauge("rota_lane_oldest_due_seconds",
            "For how long the first of these has been due, by lane. Calls that are due at once, "
            "for clients that wait, count none: see rota_wait_duration_seconds.");
  for (const Lane lane : kLanes) {
    out.sample(fmt::format("lane=\"{}\"", traits_of(lane).name),
               seconds(health.backlogs[index_of(lane)].oldest));
  }
}

void write_timings(Writer& out, const Timings& timings) {
  out.histogram("rota_call_duration_seconds",
                "How long calls to Circle took until their reply, by kind.");
  for (const CallKind kind : kKinds) {
    out.samples(fmt::format("kind=\"{}\"", name_of(kind)),
                timings.calls[static_cast<std::size_t>(kind)]);
  }
  out.histogram("rota_commit_duration_seconds", "How long commits to the database took.",
                timings.commits);
  out.histogram("rota_wait_duration_seconds",
                "How long clients waited for a token that was not there at once.", timings.waits);
  out.histogram("rota_loop_lag_seconds",
                "How long the end of a commit waited until the event loop came to it.",
                timings.loop_lag);
}

void write_requests(Writer& out, const Health& health) {
  out.counter("rota_tokens_given_total", "Tokens that were given to clients, watches included.",
              health.tokens_given);
  if (!health.error_replies.empty()) {
    out.counter("rota_error_replies_total",
                "Requests that were answered with an error, by its code.");
  }
  for (const auto& [code, count] : health.error_replies) {
    out.sample(fmt::format("code=\"{}\"", code), count);
  }
  out.gauge("rota_connections", "Open connections, by the kind of socket.");
  out.sample("socket=\"token\"", health.connections.token);
  out.sample("socket=\"admin\"", health.connections.admin);
  out.sample("socket=\"listener\"", health.connections.listener);
  out.sample("socket=\"metrics\"", health.connections.metrics);
}

// The names and units that Prometheus' own clients use.
void write_process(Writer& out, const ProcessFigures& process) {
  out.counter("process_cpu_seconds_total", "Processor time, of user and system.",
              process.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Memory that is resident.", process.resident_bytes);
  out.gauge("process_virtual_memory_bytes", "Address space.", process.virtual_bytes);
  out.gauge("process_open_fds", "Open file descriptors.", process.open_fds);
  out.gauge("process_max_fds", "The limit on open file descriptors.", process.max_fds);
  out.gauge("process_start_time_seconds", "When the process started, in seconds since 1970.",
            seconds(process.started_at.time_since_epoch()));
}

void write_freshness(Writer& out, const Health& health) {
  out.counter("rota_member_kept_seconds_total",
              "The time of members that are to be kept fresh, of all together.",
              health.freshness.kept_seconds);
  out.counter("rota_member_overdue_seconds_total",
              "Of that time, the part in which a member had no live token in time.",
              health.freshness.overdue_seconds);
  // None lives: there is nothing whose end could come, and 0 would be an end.
  if (const auto& left = health.members.least_life) {
    out.gauge("rota_least_remaining_life_seconds",
              "How long the first of the tokens that are served still lives.", seconds(*left));
  }
}

void write_upstream(Writer& out, const Health& health) {
  out.gauge("rota_upstream_breaker",
            "State of the circuit breaker for Circle: 1 for the current state, 0 for the others.");
  for (const BreakerState state : enumerators_from<BreakerState::kClosed>()) {
    out.sample(fmt::format("state=\"{}\"", name_of(state)), flag(health.breaker == state));
  }
  // There is no such time before the first one, and 0 would be one.
  if (const auto& at = health.last_good_reply) {
    out.gauge("rota_upstream_last_success_timestamp_seconds",
              "When Circle last answered a call as it should, on its clock, in seconds since 1970.",
              seconds(at->time_since_epoch()));
  }
  out.gauge("rota_upstream_paused_seconds",
            "How long a 429, or a 5xx with Retry-After, still holds back all calls.",
            seconds(health.paused));
  out.gauge("rota_clock_skew_seconds", "Circle's clock minus this machine's.",
            seconds(health.clock_skew));
  out.gauge("rota_clock_confirmed", "Whether a reply has confirmed Circle's clock since the start.",
            flag(health.clock_confirmed));
}

void write_audit(Writer& out, const AuditHealth& audit) {
  out.counter("rota_audit_entries_total", "Entries written to the audit trail.");
  out.sample("", audit.entries);
  out.counter("rota_audit_folded_total",
              "Audit entries that lost detail because the buffer for them was full.");
  out.sample("", audit.folded);
  out.gauge("rota_audit_entries_waiting", "Audit entries that wait to be written.", audit.waiting);
  out.counter("rota_events_total",
              "What happened since the start, by the names that the audit trail uses.");
  for (const AuditEvent event : kAuditEvents) {
    out.sample(fmt::format("event=\"{}\"", name_of(event)),
               audit.events[static_cast<std::size_t>(event)]);
  }
  out.gauge("rota_audit_ok", "Whether the audit trail can be written.", flag(!audit.failing));
}

void write_files(Writer& out, const Health& health) {
  out.gauge("rota_commits_ok", "Whether the last commit to the database succeeded.",
            flag(health.commit_problem.empty()));
  out.gauge("rota_store_rows_set_aside", "Database rows that are damaged or changed.",
            health.rows_set_aside);
  out.gauge("rota_config_in_force", "Whether the configuration was valid when it was last read.",
            flag(health.files.config_problem.empty()));
  out.gauge("rota_roster_in_force", "Whether the roster on disk is in force as a whole.",
            flag(health.files.roster_problem.empty() && !health.held_plan));
  out.gauge("rota_roster_plan_held", "Whether a plan waits for an operator's approval.",
            flag(health.held_plan.has_value()));
  // There is no such time before the first success, and 0 would be one.
  if (const auto& at = health.files.roster_taken_at) {
    out.gauge("rota_roster_last_success_timestamp_seconds",
              "When a roster last came into force, in seconds since 1970.",
              seconds(at->time_since_epoch()));
  }
}

}  // namespace

std::string metrics_text(const Health& health) {
  Writer out;
  out.gauge("rota_build_info", "The running version, as a label.");
  out.sample(fmt::format("version=\"{}\"", health.version), 1);
  out.gauge("rota_ready", "Whether GET /readyz answers 200.",
            flag(unready_reasons(health).empty()));
  write_members(out, health.members);
  out.gauge("rota_waiting_clients", "Clients that wait for a token.", health.waiting_clients);
  out.counter("rota_connections_refused_total",
              "Connections refused because of a limit: on all connections, on one user's, or on "
              "their rate.");
  out.sample("limit=\"all\"", health.refused_in_all);
  out.sample("limit=\"uid\"", health.refused_of_uid);
  out.sample("limit=\"rate\"", health.refused_by_rate);
  write_clients(out, health.clients);
  out.counter("rota_log_lines_dropped_total",
              "Log lines dropped because nothing read the log fast enough.");
  out.sample("", health.log_lines_dropped);
  write_requests(out, health);
  write_freshness(out, health);
  write_calls(out, health);
  write_lanes(out, health);
  write_timings(out, health.timings);
  write_upstream(out, health);
  write_files(out, health);
  write_audit(out, health.audit);
  write_process(out, health.process);
  return out.text();
}

}  // namespace rota
