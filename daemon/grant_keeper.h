#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/access.h"
#include "base/result.h"
#include "base/time.h"
#include "daemon/daemon_notes.h"
#include "daemon/grants_in_force.h"
#include "daemon/log.h"
#include "daemon/worker.h"
#include "report/readings.h"
#include "report/reload_report.h"
#include "settings/accounts.h"
#include "settings/settings.h"

namespace rota {

// Keeps the grants of the configuration, looks up the names in them, and makes the policy in force
// from both. The look-ups run on a thread of its own, and are repeated as long as a name is not
// found. GrantsInForce decides which grants are in force when.
//
// What changes goes to the log, the audit trail and the readings. No method fails: a grant whose
// holder is not found is held back, and the readings have it. Loop thread only.
class GrantKeeper {
 public:
  struct Parts {  // all outlive the keeper
    boost::asio::io_context& loop;
    Log& log;
    DaemonNotes& notes;
    Readings& readings;
  };
  // What the start looked up, and the thread that did it.
  struct Names {
    std::unique_ptr<Worker> worker;
    Grantees found;
  };

  // Looks the names up, for at most kNamesAtStartMax: a directory service may not be up yet. Names
  // that are not found by then are looked up later. Blocks. kConfig: a grant can never be in force
  // (HeldGrant::is_wrong).
  static Result<Names> look_up_at_start(boost::asio::io_context& loop,
                                        const std::vector<GrantSettings>& grants);
  GrantKeeper(Parts parts, std::vector<GrantSettings> grants, Names names);

  // The policy in force. The reference is valid as long as the keeper; the policy behind it is
  // replaced when it changes, and then `changed` is called.
  const AccessPolicy& policy() const { return policy_; }
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }
  // Whether added grants wait for a roster.
  bool waiting() const { return in_force_.waiting(); }

  // A reload brought these grants. What they withdraw is withdrawn at once; what they add waits
  // until a roster that is read from now on is in force. What changed; a grant that is written
  // otherwise now counts as one that was removed and one that was added.
  ReloadChanges put(std::vector<GrantSettings> fresh);
  // The configuration on disk has these grants, but it is not in force: a changed roster comes into
  // force without a reload, or the configuration has an error. What they withdraw is withdrawn at
  // once, and what they add waits for the next put(). What changed.
  ReloadChanges withdraw_to(const std::vector<GrantSettings>& on_disk);
  // The roster of this reading is durable and in force as a whole.
  void roster_in_force(Readings::Id reading);

  // Calls `done` once: when no look-up is running (that may be inside this call), or after
  // kNamesMax.
  void wait_for_names(std::move_only_function<void()> done);
  // Looks up no more names. May be called again.
  void stop();

  // How long a start and a reload wait for the system's name services before they go on without
  // them.
  static constexpr Duration kNamesAtStartMax{5'000};
  static constexpr Duration kNamesMax{5'000};

 private:
  enum class LookUp {
    kNone,
    kRunning,
    kOutdated,  // the grants changed while it ran: it is repeated
  };

  void look_up();
  void looked_up(Grantees found);
  void take(Grantees found);
  void look_up_later();
  void apply();
  ReloadChanges note_changes(const std::vector<GrantSettings>& before,
                             const std::vector<GrantSettings>& after);

  const Parts parts_;
  std::vector<GrantSettings> grants_;  // of the configuration in force
  std::vector<GrantSettings> kept_;    // those of them that withdraw_to() left in force
  GrantsInForce in_force_;
  AccessPolicy policy_;  // in_force_.policy()
  std::function<void()> changed_ = [] {};
  HolderIds holder_ids_;
  std::vector<std::string> held_told_;  // why grants are held back, as it was last logged
  LookUp look_up_ = LookUp::kNone;
  std::vector<std::move_only_function<void()>> waiting_for_names_;
  boost::asio::steady_timer again_;
  Duration pause_{0};
  bool stopped_ = false;
  std::unique_ptr<Worker> worker_;  // last, so that its jobs end before the other members do
};

}  // namespace rota
