#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/access.h"
#include "api/frontend.h"
#include "auth/headless_auth_client.h"
#include "base/result.h"
#include "daemon/connection_log.h"
#include "daemon/descriptors.h"
#include "daemon/exit_code.h"
#include "daemon/grants_in_force.h"
#include "daemon/log.h"
#include "daemon/roster_watch.h"
#include "daemon/service_manager.h"
#include "daemon/worker.h"
#include "report/health.h"
#include "report/readings.h"
#include "rotator/rotator.h"
#include "serve/server.h"
#include "settings/accounts.h"
#include "settings/hidden_values.h"
#include "settings/settings.h"

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
    HiddenValues hidden;
  };

  // Reads secrets, opens the store and loads it. Everything in `context` outlives the daemon.
  static Result<std::unique_ptr<Daemon>> create(Context context, Settings settings);
  ~Daemon() override;

  // Serves what is durable, takes the roster unless it is the one on record, and begins to rotate.
  // kConfig when there is neither a usable roster nor anything on record.
  Result<void> start();

 private:
  // What a start has read and made before there is a daemon.
  struct Start {
    Settings settings;
    Grantees grantees;
    std::unique_ptr<Worker> names;
    std::unique_ptr<HeadlessAuthClient> client;
    Fingerprint app_token = 0;
  };
  Daemon(Context context, Start start);

  Health health() const;
  void note(AuditEvent event, std::string detail = {});
  Result<void> open_sockets();
  void open_metrics();
  Result<void> try_metrics();
  Result<std::unique_ptr<Server>> open_server(std::unique_ptr<ListenSocket> inherited,
                                              const std::string& path, mode_t mode,
                                              std::optional<gid_t> group, const Frontend& frontend,
                                              const ServerOptions& options);
  bool is_roster_on_record() const;
  void wait_for_first_roster(int waits);
  void go_live();
  void wait_for_signals();
  void keep_manager_informed();
  void inform_manager_again(bool soon);
  void keep_files_in_place();
  void stop();
  void part_stopped();
  std::string status_text() const;
  std::string stopping_text() const;

  // daemon_roster.cc: the roster on disk
  void watch_roster();
  void roster_changed();
  void read_roster(std::move_only_function<void(Result<SortedRosterPtr>)> done);
  void note_roster(const Result<SortedRosterPtr>& roster);
  void take_roster(SortedRosterPtr roster, const std::string& approve,
                   std::move_only_function<void(const Result<RosterPlanPtr>&)> done);

  // daemon_grants.cc: whom tokens are given to
  void put_grants(std::vector<GrantSettings> fresh);
  void withdraw_grants(const Result<Settings>& on_disk);
  void look_up_names();
  void take_names(Grantees found);
  void names_settled();
  void look_up_names_later(bool wanted);
  void apply_grants();
  void note_grants(const std::vector<GrantSettings>& before,
                   const std::vector<GrantSettings>& after);

  // daemon_reload.cc: all that a reload reads
  struct Reload;
  using ReloadPtr = std::shared_ptr<Reload>;
  struct ConfigOnDisk;
  void next_reload();
  void take_config(const ReloadPtr& reload, ConfigOnDisk read);
  void take_settings(Settings fresh, Reload& reload);
  void take_app_token(const Result<SecretPtr>& app_token, Reload& reload);
  void answer_plan(const Result<RosterPlanPtr>& plan);
  void reload_roster(const ReloadPtr& reload);
  void roster_reloaded(const ReloadPtr& reload, const Result<RosterPlanPtr>& plan);
  void part_reloaded(const ReloadPtr& reload);
  void finish_reload(const ReloadPtr& reload);
  void reload_finished(const ReloadPtr& reload, Result<std::string> answer);

  // AdminService
  std::string status_json() const override;
  Result<std::string> members_json(std::string_view state, std::string_view after,
                                   std::size_t limit) const override;
  bool knows(std::string_view key) const override;
  std::optional<std::string> member_json(std::string_view key) const override;
  void plan(std::move_only_function<void(Result<std::string>)> done) override;
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
  GrantsInForce grants_;
  AccessPolicy access_;  // grants_.policy()
  HolderIds holder_ids_;
  std::vector<std::string> held_told_;  // why grants are held back, as it was last logged
  bool names_asked_ = false;            // the names are being looked up
  bool names_changed_ = false;          // and have to be once more
  std::vector<std::move_only_function<void()>> names_wanted_;
  boost::asio::steady_timer names_again_;
  Duration names_pause_{0};
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
  std::unique_ptr<Server> metrics_server_;  // null while nobody listens at metrics_listen
  std::string metrics_problem_;             // why nobody does
  boost::asio::steady_timer metrics_again_;
  Duration metrics_pause_{0};
  std::unique_ptr<RosterWatch> watch_;
  DescriptorShare descriptors_;
  bool roster_refused_ = false;  // the last reading of the roster on disk failed
  bool roster_read_ = false;     // a change of it is being read
  bool roster_stale_ = false;    // and it has changed once more
  std::vector<std::move_only_function<void(Result<std::string>)>> plans_asked_;
  std::deque<ReloadPtr> reloads_;  // the first one is being done
  std::string socket_problem_;     // why no client finds a socket
  boost::asio::signal_set signals_;
  boost::asio::steady_timer informing_;
  boost::asio::steady_timer going_live_;
  boost::asio::steady_timer looking_;
  boost::asio::steady_timer stop_limit_;
  std::size_t parts_stopping_ = 0;
  bool live_ = false;
  bool stopping_ = false;
  // Last, so that no job of theirs comes back to parts that are gone.
  std::unique_ptr<Worker> names_;  // asks the system's name services
  Worker files_;                   // reads and parses what is on disk
};

}  // namespace rota
