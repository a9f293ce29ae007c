#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "auth/headless_auth_client.h"
#include "base/fingerprint.h"
#include "base/result.h"
#include "base/time.h"
#include "daemon/client_keeper.h"
#include "daemon/daemon_notes.h"
#include "daemon/grant_keeper.h"
#include "daemon/log.h"
#include "daemon/reloads.h"
#include "daemon/roster_intake.h"
#include "daemon/worker.h"
#include "report/readings.h"
#include "rotator/rotator.h"
#include "settings/hidden_values.h"
#include "settings/settings.h"

namespace rota {

// The files that are in force: settings, app token, grants, clients and roster. Each comes into
// force on its own. If one is broken, the last good one stays in force, and standing() says so.
// Owns the parts that keep each of them, and the thread that reads files for all; callers use the
// parts. Loop thread only.
class FilesInForce {
 public:
  struct Parts {  // all outlive this
    boost::asio::io_context& loop;
    const Clock& clock;
    Log& log;
    DaemonNotes& notes;
    Rotator& rotator;
    HeadlessAuthClient& client;
    const HiddenValues& hidden;
  };
  // What the start has read, all but the roster, which RosterIntake::read_first() reads.
  struct AtStart {
    std::string config_path;
    Settings settings;
    GrantKeeper::Names names;
    Fingerprint app_token = 0;
  };
  struct Events {
    std::function<void()> reload_began;
    std::function<void(bool done)> reload_ended;
    std::function<void()> change_settled;  // a changed roster is in force, or cannot be used
  };

  FilesInForce(Parts parts, AtStart at_start);

  // Changes of the roster on disk count from here on. To be called once, before the roster is read
  // for the first time.
  void watch(Events events);
  // From here on only a reload reads files.
  void stop();

  const FileStanding& standing() const { return readings_.standing(); }
  GrantKeeper& grants() { return grants_; }
  ClientKeeper& clients() { return clients_; }
  RosterIntake& roster() { return roster_; }
  Reloads& reloads() { return reloads_; }

 private:
  Readings readings_;
  GrantKeeper grants_;
  ClientKeeper clients_;
  Worker files_;
  RosterIntake roster_;
  Reloads reloads_;
};

}  // namespace rota
