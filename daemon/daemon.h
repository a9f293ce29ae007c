#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>

#include "auth/headless_auth_client.h"
#include "base/result.h"
#include "daemon/connection_log.h"
#include "daemon/exit_code.h"
#include "daemon/log.h"
#include "daemon/roster_watch.h"
#include "daemon/service_manager.h"
#include "daemon/settings.h"
#include "rotator/driver.h"
#include "rotator/health.h"
#include "rotator/readings.h"
#include "serve/access.h"
#include "serve/frontend.h"
#include "serve/server.h"

namespace rota {

// The running daemon: its parts in the order in which they stand on each other, and what the
// signals and the admin socket ask of all of them together. Loop thread only.
class Daemon final : private AdminService, private HealthService {
 public:
  struct Context {
    boost::asio::io_context& loop;
    const Clock& clock;
    Log& log;
    ServiceManager& manager;
    std::string config_path;
  };

  // Reads secrets, opens the store and loads it. Everything in `context` outlives the daemon.
  static Result<std::unique_ptr<Daemon>> create(Context context, Settings settings);
  ~Daemon() override;

  // Serves what is durable, takes the roster, and begins to rotate. With members on record it is
  // ready at once, and the roster on disk comes into force soon after. kConfig when there is
  // neither a usable roster nor anything on record.
  Result<void> start();

 private:
  Daemon(Context context, Settings settings, const std::vector<Grant>& grants,
         std::unique_ptr<HeadlessAuthClient> client, Fingerprint app_token);

  Health health() const;
  void note(AuditEvent event, std::string detail = {});
  Result<void> open_sockets();
  Result<void> open_metrics();
  Result<std::unique_ptr<Server>> open_server(std::unique_ptr<ListenSocket> inherited,
                                              const std::string& path, mode_t mode,
                                              std::optional<gid_t> group, const Frontend& frontend);
  void read_first_roster();
  void roster_settled();
  void set_refusals(Frontend::Refusals refusals);
  void go_live();
  void wait_for_signals();
  void keep_manager_informed();
  void inform_manager_again(bool soon);
  void watch_roster();
  void roster_changed();
  void stop();
  void part_stopped();
  Result<void> reload_settings();
  void note_grants(const std::vector<GrantSettings>& before,
                   const std::vector<GrantSettings>& after);
  void warn_of_restart(const Settings& fresh);
  Result<Roster> read_roster_on_disk();
  Result<Roster> judge_reading(Result<Roster> roster);
  void take_roster(const Roster& roster, const std::string& approve,
                   std::move_only_function<void(const Result<RosterPlan>&)> done);
  Result<void> check_approval(const Roster& roster, const std::string& approve) const;
  std::string status_text();
  std::string stopping_text() const;
  Result<Roster> prepare_reload(const std::string& approve);

  // AdminService
  std::string status_json() const override;
  Result<std::string> members_json(std::string_view state, std::string_view after,
                                   std::size_t limit) const override;
  std::optional<std::string> member_json(std::string_view key) const override;
  std::string plan_json() const override;
  void operate(std::string_view key, OperatorAction action,
               std::move_only_function<void(Result<OperatorReport>)> done) override;
  void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) override;
  void note_asked(AuditEvent event, std::string_view member, std::string detail,
                  const AuditCaller& caller) override;
  void audit(AuditRequest request,
             std::move_only_function<void(Result<std::string>)> done) override;
  void reload(std::string approve,
              std::move_only_function<void(Result<std::string>)> done) override;

  // HealthService
  Readiness readiness() const override;
  std::string metrics() const override;

  // Constant after construction.
  const Context context_;

  // Loop thread only.
  AccessPolicy access_;
  Settings settings_;
  Fingerprint app_token_;  // of the one in force: the client alone keeps it
  Readings readings_;
  ConnectionLog connection_log_;
  std::unique_ptr<HeadlessAuthClient> client_;
  std::unique_ptr<Rotator> rotator_;
  std::unique_ptr<Frontend> token_frontend_;
  std::unique_ptr<Frontend> admin_frontend_;
  std::unique_ptr<Frontend> metrics_frontend_;
  std::unique_ptr<Server> token_server_;
  std::unique_ptr<Server> admin_server_;
  std::unique_ptr<Server> metrics_server_;  // null without metrics_listen
  std::unique_ptr<RosterWatch> watch_;
  bool first_roster_awaited_ = false;  // it is being read, and no other has been taken since
  bool roster_settled_ = false;        // what it refuses is refused
  bool roster_refused_ = false;        // the last reading of the roster on disk failed
  boost::asio::signal_set signals_;
  boost::asio::steady_timer informing_;
  boost::asio::steady_timer first_roster_limit_;
  boost::asio::steady_timer stop_limit_;
  std::size_t parts_stopping_ = 0;
  bool live_ = false;
  bool stopping_ = false;
  boost::asio::thread_pool reader_{1};  // last: joined before anything that it uses goes
};

}  // namespace rota
