#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/bearer_clients.h"
#include "daemon/daemon_notes.h"
#include "daemon/log.h"
#include "daemon/rights_on_disk.h"
#include "report/reload_report.h"
#include "settings/settings.h"

namespace rota {

// Keeps the clients of the configuration that may use a listener. What changes goes to the log and
// the audit trail. Loop thread only.
class ClientKeeper {
 public:
  struct Parts {  // all outlive the keeper
    Log& log;
    DaemonNotes& notes;
  };

  ClientKeeper(Parts parts, const Settings& settings);

  // The clients in force. The reference is valid as long as the keeper; what is behind it is
  // replaced when it changes, and then `changed` is called.
  const BearerClients& clients() const { return clients_; }
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  // A reload brought these settings: their clients come into force at once. What changed by that.
  ReloadChanges put(const Settings& fresh);
  // The configuration on disk has an error: only what it takes away comes into force, at once.
  ReloadChanges withdraw_to(const RightsOnDisk& on_disk);

 private:
  void warn_of_grants(const Settings& settings);
  ReloadChanges replace(std::vector<ClientSettings> fresh);
  ReloadChanges note_changes(const std::vector<ClientSettings>& fresh);

  const Parts parts_;
  std::vector<ClientSettings> settings_;
  BearerClients clients_;
  std::vector<std::string> warned_;  // as they were last logged
  std::function<void()> changed_ = [] {};
};

}  // namespace rota
