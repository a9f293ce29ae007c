#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/enumerators.h"
#include "base/time.h"
#include "engine/commands.h"
#include "engine/engine.h"
#include "model/audit.h"
#include "plan/shared_budget.h"
#include "report/freshness_meter.h"
#include "report/process_figures.h"
#include "report/readings.h"
#include "report/timings.h"
#include "roster/guard.h"

namespace rota {

// The state of the audit trail (rotator/audit_trail.h).
struct AuditHealth {
  std::uint64_t entries = 0;  // written since the start
  std::uint64_t folded = 0;   // notes that lost detail, because the buffer was full
  std::size_t waiting = 0;    // rows that are not written yet
  bool failing = false;       // the last write failed
  // What was noted since the start, indexed by AuditEvent, whether or not it is written yet.
  std::array<std::uint64_t, kAuditEvents.size() + 1> events{};
};

// What clients have done on the sockets since the start.
struct ClientCounts {
  std::uint64_t logins = 0;        // by Circle's auth_token, answered with a token and a handle
  std::uint64_t refreshes = 0;     // by a handle, answered with a token
  std::uint64_t dead_handles = 0;  // refused: revoked, expired, foreign or made up
  // Tokens given to clients of listeners, by the name of each; the rest have no row of their own.
  std::vector<std::pair<std::string, std::uint64_t>> fetches{};
  std::uint64_t fetches_of_others = 0;
  // Requests on listeners that were refused at the door.
  std::uint64_t no_bearer = 0;       // 401
  std::uint64_t unknown_bearer = 0;  // 401
  std::uint64_t foreign = 0;         // 403
};

// The daemon's state at one moment, in plain values: readiness and metrics are made from this
// alone. health_of() fills in what the engine and the files know; the daemon adds the rest.
struct Health {
  struct Members {
    std::array<std::size_t, kMemberStates.size() + 1> by_state{};  // indexed by MemberState
    std::size_t in_state(MemberState state) const {
      return by_state.at(static_cast<std::size_t>(state));
    }
    std::size_t fresh = 0;                  // active, with a live access token
    std::size_t overdue = 0;                // without one in time
    std::size_t overdue_idle = 0;           // of these, members that nobody asked for
    std::size_t first_issues = 0;           // wait for their first one, and nobody waits for them
    Duration first_issues_left{0};          // about how long these will take
    std::size_t first_issues_a_window = 0;  // about how many the budget has room for now
    std::size_t without_token = 0;          // of those kept fresh, those that never had one
    std::size_t kept = 0;                   // of the active, those kept fresh ahead of time
    std::size_t dead_on_arrival = 0;        // whose last token had ended when it came
    std::size_t left_out = 0;               // active, and issued on demand for want of budget
    std::size_t fits = 0;                   // how many the budget keeps fresh
    std::size_t tokens_to_revoke = 0;
    // By whose word they are members. Members that are leaving may be in neither.
    std::size_t named_by_roster = 0;
    std::size_t only_enrolled = 0;
    // When the first of the tokens that are served ends; none: none is alive.
    std::optional<WallTime> tokens_hold_until{};
    std::optional<Duration> least_life{};  // until then
  };
  // What waits in one lane of calls (engine/schedule.h).
  using Backlog = Schedule::Backlog;
  struct HeldPlan {
    std::string id;
    std::size_t retire = 0;
    RosterPlanPtr plan{};  // may be large, and so is shared; null in a test
  };

  Members members;
  std::size_t doubts = 0;
  std::int64_t rows_set_aside = 0;
  std::size_t waiting_clients = 0;
  std::size_t calls_in_flight = 0;
  std::array<Backlog, kLaneCount> backlogs{};  // indexed by Lane
  // How many calls are due in each step of the time to come; the first also has what is due now.
  static constexpr std::size_t kDueSteps = 30;
  static constexpr Duration kDueStep = std::chrono::minutes{2};
  std::array<std::size_t, kDueSteps> calls_due{};
  Engine::Counts counts;
  std::size_t budget_used = 0;
  std::size_t budget_limit = 0;
  Duration budget_window{0};
  GuardPolicy guard;
  Duration paused{0};  // how long a 429 or a 5xx still holds back all calls
  BreakerState breaker = BreakerState::kClosed;
  std::optional<Trouble> trouble{};  // why calls fail; none: the last one worked, or there was none
  // When a reply of Circle last said that calls work, on its clock; none: none has since the start.
  std::optional<WallTime> last_good_reply{};
  Duration clock_skew{0};
  bool clock_confirmed = false;
  bool clock_doubted = false;  // this machine's clocks moved against each other since
  bool early_refresh_useless = false;
  Duration access_token_lifetime{0};  // as Circle gave it last
  std::optional<Duration> next_call_in{};
  bool commits_fail = false;   // the last commit failed
  std::string commit_problem;  // why the last commit failed, or does not end; empty: it works
  std::optional<HeldPlan> held_plan;
  std::vector<std::string> removals_held_back{};  // the clients (Removals::held_back())
  FileStanding files;

  // The engine knows nothing of the rest: the daemon fills it in.
  std::string_view version{};  // static
  std::string host{};          // this machine's name
  Timings timings{};
  FreshnessMeter::Totals freshness{};
  ProcessFigures process{};
  std::uint64_t tokens_given = 0;
  // Requests that were answered with an error, by its code. The codes are static.
  std::vector<std::pair<std::string_view, std::uint64_t>> error_replies{};
  // Open connections, by the kind of socket.
  struct Connections {
    std::size_t token = 0, admin = 0, listener = 0, metrics = 0;
  };
  Connections connections{};
  AuditHealth audit{};
  ClientCounts clients{};
  // Why the next start would not find what is committed, and why no client finds a socket; empty:
  // nothing is wrong.
  std::string database_problem{};
  std::string socket_problem{};
  // Connections that met a limit of the sockets.
  std::size_t refused_in_all = 0;
  std::size_t refused_of_uid = 0;
  std::size_t refused_by_rate = 0;
  std::uint64_t log_lines_dropped = 0;
  std::string metrics_problem{};                     // why rotad does not listen on metrics_listen
  std::string listener_problem{};                    // why it does not listen on each [[listener]]
  std::optional<SharedBudget::View> budget_group{};  // none: the budget is this daemon's alone
};

// Both read the engine, on the loop thread. They change only its counts of what time has ended
// (Engine::census(), Engine::budget()), which move up to `now`.
Health::Members count_members(Engine& engine, Now now);
Health health_of(Engine& engine, const FileStanding& files, Now now);

// Why the daemon is not ready: something needs an operator, or a client feels it. If Circle fails
// while every token is alive, neither is the case: then only the breaker's metric shows it.
// docs/trouble.md explains each code and what to do about it.
enum class UnreadyCode {
  kMembersOverdue,
  kDatabaseGone,
  kSocketGone,
  kCommitFailing,
  kConfigNotInForce,
  kAppTokenNotRead,
  kGrantsHeldBack,
  kGrantsWait,
  kRosterNotInForce,
  kRosterPlanHeld,
  kAppTokenRefused,
  kNotEligible,
  kDeadOnArrival,  // Circle gives tokens that have already expired
  kListenerNotListening,
  kMetricsNotListening,
  kBudgetGroupUnavailable,
  kUpstreamFailing,  // calls fail, and a client waits for a token or a member has none
};
inline constexpr auto kUnreadyCodes = enumerators_from<UnreadyCode::kMembersOverdue>();
std::string_view name_of(UnreadyCode code);  // as on the wire: "members_overdue"

struct UnreadyReason {
  UnreadyCode code{};
  std::string message;  // for all clients: has no path, no text of a file and no member
  std::string detail;   // for the admin socket and the log; may be empty
};
// Empty: the daemon is ready. Pure; the same goes for readiness_json().
std::vector<UnreadyReason> unready_reasons(const Health& health);

// The body of GET /readyz, {"ready":…,"reasons":[{"code","message"}]}: without the details.
std::string readiness_json(const std::vector<UnreadyReason>& reasons);

}  // namespace rota
