#pragma once

#include "api/circle_logins.h"
#include "api/services.h"
#include "daemon/connection_log.h"
#include "daemon/listeners.h"
#include "daemon/log.h"
#include "daemon/process_figures.h"
#include "report/health.h"
#include "report/readings.h"
#include "rotator/rotator.h"
#include "settings/hidden_values.h"

namespace rota {

// Makes Health, the one snapshot of what each part knows about the state of the daemon. Readiness,
// metrics, status and what the service manager gets are made from it alone. Loop thread only.
class DaemonHealth final : public HealthService {
 public:
  struct Parts {  // all outlive this
    Rotator& rotator;
    const FileStanding& files;
    const SocketStanding& sockets;
    const ConnectionLog& connections;
    const CircleLogins& logins;
    const Log& log;
    const HiddenValues& hidden;
  };
  explicit DaemonHealth(Parts parts) : parts_(parts), started_at_(parts_.rotator.now().wall) {}

  Health health() const override;
  // Adds up freshness since the last call. To be called every few seconds.
  void read_freshness();

 private:
  const Parts parts_;
  const WallTime started_at_;
  const std::string host_ = host_name();
  FreshnessMeter freshness_;
};

}  // namespace rota
