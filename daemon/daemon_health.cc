#include "daemon/daemon_health.h"

#include "daemon/version.h"
#include "http/response.h"

namespace rota {

Health DaemonHealth::health() const {
  Health health = health_of(parts_.rotator.engine(), parts_.files, parts_.rotator.now());
  health.version = kVersion;
  health.host = host_;
  health.timings = parts_.rotator.timings();
  health.freshness = freshness_.totals();
  health.process = read_process_figures(started_at_);
  health.tokens_given = parts_.rotator.tokens_given();
  for (const ErrorCode code : kErrorCodes) {
    const std::uint64_t count = parts_.connections.errors().at(static_cast<std::size_t>(code));
    health.error_replies.emplace_back(row_of(code).code, count);
  }
  if (parts_.sockets.connections) health.connections = parts_.sockets.connections();
  health.refused_in_all = parts_.connections.refused(ConnectionLimit::kTotal);
  health.refused_of_uid = parts_.connections.refused(ConnectionLimit::kPerUid);
  health.refused_by_rate = parts_.connections.refused(ConnectionLimit::kRate);
  const CircleLogins::Counts& logins = parts_.logins.counts();
  const ClientFetches& fetches = parts_.rotator.client_fetches();
  health.clients = {.logins = logins.logins,
                    .refreshes = logins.refreshes,
                    .dead_handles = logins.dead_handles,
                    .fetches = fetches.rows(),
                    .fetches_of_others = fetches.of_others(),
                    .no_bearer = parts_.connections.turned_away(DoorRefusal::kNoBearer),
                    .unknown_bearer = parts_.connections.turned_away(DoorRefusal::kUnknownBearer),
                    .foreign = parts_.connections.turned_away(DoorRefusal::kForeign)};
  health.audit = parts_.rotator.audit_trail().health();
  health.database_problem = parts_.hidden.hide(parts_.rotator.database_problem());
  health.socket_problem = parts_.hidden.hide(parts_.sockets.file_problem);
  health.metrics_problem = parts_.sockets.metrics_problem;
  health.listener_problem = parts_.hidden.hide(parts_.sockets.listener_problem);
  health.log_lines_dropped = parts_.log.dropped();
  if (SharedBudget* const shared = parts_.rotator.shared_budget()) {
    health.budget_group = shared->view(parts_.rotator.now().boot);
    health.budget_group->trouble = parts_.hidden.hide(health.budget_group->trouble);
  }
  return health;
}

void DaemonHealth::read_freshness() {
  const Now now = parts_.rotator.now();
  const Health::Members members = count_members(parts_.rotator.engine(), now);
  freshness_.read(members.kept, members.overdue, now.boot);
}

}  // namespace rota
