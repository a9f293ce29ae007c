#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "auth/headless_auth_client.h"
#include "base/fingerprint.h"
#include "base/result.h"
#include "daemon/client_keeper.h"
#include "daemon/daemon_notes.h"
#include "daemon/grant_keeper.h"
#include "daemon/log.h"
#include "daemon/rights_on_disk.h"
#include "daemon/roster_intake.h"
#include "daemon/worker.h"
#include "report/readings.h"
#include "rotator/rotator.h"
#include "settings/hidden_values.h"
#include "settings/settings.h"

namespace rota {

// A reload reads configuration, app token and roster, and brings each into force on its own, so a
// broken part does not hold the others back. Of a configuration that has an error, only what it
// takes away comes into force: grants and clients (daemon/rights_on_disk.h). Grants that were
// removed are withdrawn first, and grants that were added wait for the roster
// (daemon/grants_in_force.h): at no moment does a client get more than the old or the new state
// allows. Keeps the settings in force. One reload runs at a time, and the others wait. Files are
// read on the thread for files. Loop thread only.
class Reloads {
 public:
  struct Parts {  // all outlive this, and the loop has ended when it goes
    boost::asio::io_context& loop;
    Log& log;
    Worker& files;
    DaemonNotes& notes;
    Readings& readings;
    GrantKeeper& grants;
    ClientKeeper& clients;
    RosterIntake& roster;
    Rotator& rotator;
    HeadlessAuthClient& client;
    const HiddenValues& hidden;
  };
  struct Events {
    std::function<void()> began = [] {};
    std::function<void(bool done)> ended = [](bool) {};  // called before Done
  };
  // Gets the JSON of the plan that was applied or is held, with what became of each part
  // (report/reload_report.h). An error says what failed, and what came into force nevertheless:
  // kConfig, kIo, kBusy, or kInvalid (`approve` is not the plan of the roster on disk).
  using Done = std::move_only_function<void(Result<std::string>)>;

  // `settings` and `app_token` are in force. Only the client keeps the token itself.
  Reloads(Parts parts, Settings settings, Fingerprint app_token, std::string config_path);

  void on_events(Events events) { events_ = std::move(events); }
  // `approve`: the id of a held plan, or empty. `done` is called once, never inside this call.
  void reload(std::string approve, Done done);

  static constexpr std::size_t kReloadsMax = 64;  // at the same time; one more is kBusy

 private:
  struct Reload;
  using ReloadPtr = std::shared_ptr<Reload>;
  struct OnDisk {
    Result<Settings> settings;
    RightsOnDisk rights;  // only if `settings` are an error
    Result<SecretPtr>
        app_token;  // from where `settings` say, or if they are an error, those in force
  };

  void next();
  void take(const ReloadPtr& reload, OnDisk on_disk);
  void take_settings(Settings fresh, Reload& reload);
  void take_withdrawals(Error error, const RightsOnDisk& rights, Reload& reload);
  void take_app_token(const Result<SecretPtr>& app_token, Reload& reload);
  void take_roster(const ReloadPtr& reload);
  void roster_taken(const ReloadPtr& reload, const Result<RosterPlanPtr>& plan);
  void part_done(const ReloadPtr& reload);
  void finish(const ReloadPtr& reload);
  void finished(const ReloadPtr& reload, Result<std::string> answer);

  const Parts parts_;
  const std::string config_path_;
  Settings settings_;
  Fingerprint app_token_;
  Events events_;
  std::deque<ReloadPtr> reloads_;  // the first one is running
};

}  // namespace rota
