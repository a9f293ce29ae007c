#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "engine/commands.h"
#include "engine/engine.h"
#include "report/readings.h"

namespace rota {

// How the audit trail does (rotator/audit_trail.h).
struct AuditHealth {
  std::uint64_t entries = 0;  // written since the start
  std::uint64_t folded = 0;   // notes that lost a part of what they say, for want of room
  std::size_t waiting = 0;    // rows in memory
  bool failing = false;
};

// How the daemon does at one moment: all that readiness and metrics are made of, as plain values.
struct Health {
  struct Members {
    std::array<std::size_t, kMemberStates.size() + 1> by_state{};  // indexed by MemberState
    std::size_t in_state(MemberState state) const {
      return by_state.at(static_cast<std::size_t>(state));
    }
    std::size_t fresh = 0;            // active, with a live access token
    std::size_t overdue = 0;          // without one in time
    std::size_t overdue_idle = 0;     // of these, members that nobody asked for
    std::size_t first_issues = 0;     // wait for their first one, and nobody waits for them
    Duration first_issues_left{0};    // about how long these will take
    std::size_t kept = 0;             // of the active, those kept fresh ahead of time
    std::size_t dead_on_arrival = 0;  // whose last token had ended when it came
    std::size_t left_out = 0;         // active, and issued on demand for want of budget
    std::size_t fits = 0;             // how many the budget keeps fresh
    std::size_t tokens_to_revoke = 0;
    // When the first of the tokens that are served ends; none: none is alive.
    std::optional<WallTime> tokens_hold_until{};
  };
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
  Engine::Counts counts;
  std::size_t budget_used = 0;
  std::size_t budget_limit = 0;
  Duration paused{0};  // for which a 429 or a 5xx still keeps all calls back
  BreakerState breaker = BreakerState::kClosed;
  std::optional<Trouble> trouble{};  // why calls fail now
  Duration clock_skew{0};
  bool clock_confirmed = false;
  bool clock_doubted = false;  // this machine's clocks moved against each other since
  bool early_refresh_useless = false;
  Duration access_token_lifetime{0};  // as Circle gave it last
  std::optional<Duration> next_call_in{};
  bool commits_fail = false;   // the last commit failed
  std::string commit_problem;  // why the last commit failed, or does not end; empty: it works
  std::optional<HeldPlan> held_plan;
  FileStanding files;
  std::string_view version{};  // static; the daemon adds this, and what follows
  AuditHealth audit{};
  std::string database_problem{};  // why what is committed would not be found again
  std::string socket_problem{};    // why no client finds a socket
  // Connections that met a limit of the sockets; the daemon adds them, since serving is not the
  // engine's.
  std::size_t refused_in_all = 0;
  std::size_t refused_of_uid = 0;
  std::size_t refused_by_rate = 0;
  std::uint64_t log_lines_dropped = 0;  // the daemon adds this, too
  std::string metrics_problem{};        // and why nobody listens at metrics_listen; empty: none
};

Health::Members count_members(Engine& engine, Now now);
Health health_of(Engine& engine, const FileStanding& files, Now now);

// Why the daemon is not ready. What makes it so needs somebody's attention or is felt by a client;
// a Circle that fails while every token is alive is neither, and the breaker's metric shows it.
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
  kDeadOnArrival,  // Circle gives tokens that have ended
  kMetricsNotListening,
  kUpstreamFailing,  // calls fail, and somebody needs a token: a client waits, or a member has none
};
std::string_view name_of(UnreadyCode code);

struct UnreadyReason {
  UnreadyCode code{};
  std::string message;  // for whoever may connect: quotes no file and names no member
  std::string detail;   // for operators; may be empty
};
std::vector<UnreadyReason> unready_reasons(const Health& health);

// {"ready":…,"reasons":[{"code","message"}]}
std::string readiness_json(const std::vector<UnreadyReason>& reasons);

}  // namespace rota
