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
#include "settings/accounts.h"
#include "settings/settings.h"

namespace rota {

// Whom tokens are given to: keeps the grants of the configuration, has the names in them looked up
// on a thread of its own, again and again while one is not there, and makes of both the policy that
// is in force. Which grants are in force when is GrantsInForce's to decide.
//
// Says in the log, on the audit trail and in the readings what changes. No method fails: a grant
// whose holder is not there is held back, and the readings name it. Loop thread only.
class GrantKeeper {
 public:
  struct Parts {  // all outlive the keeper
    boost::asio::io_context& loop;
    Log& log;
    DaemonNotes& notes;
    Readings& readings;
  };
  // What a start has looked up, and the thread that did it.
  struct Names {
    std::unique_ptr<Worker> worker;
    Grantees found;
  };

  // Blocks for kNamesAtStartMax at most, for a directory that is not up yet; whoever is not found
  // by then is looked up later. kConfig: a grant that can never be given to anybody.
  static Result<Names> look_up_at_start(boost::asio::io_context& loop,
                                        const std::vector<GrantSettings>& grants);
  GrantKeeper(Parts parts, std::vector<GrantSettings> grants, Names names);

  // The policy in force. The reference stays good; what it refers to is replaced at a change, and
  // `changed` comes after that.
  const AccessPolicy& policy() const { return policy_; }
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }
  // Whether some grants wait for a roster.
  bool waiting() const { return in_force_.waiting(); }

  // A reload's grants. What they withdraw is withdrawn at once; what they add waits for a roster
  // that is read from now on.
  void put(std::vector<GrantSettings> fresh);
  // Another roster comes into force by itself, beside a configuration with these grants: what they
  // withdraw is withdrawn at once, what they add waits for a reload.
  void withdraw_to(const std::vector<GrantSettings>& on_disk);
  // The roster of this reading is durable and in force as a whole.
  void roster_in_force(Readings::Id reading);

  // Calls `done` once: when no look-up is under way, which may be at once and from inside of this
  // call, or after kNamesMax.
  void wait_for_names(std::move_only_function<void()> done);
  // Looks nothing up later. Harmless to repeat.
  void stop();

  // How long a start waits for the system's name services, and a reload. Both go on without them.
  static constexpr Duration kNamesAtStartMax{5'000};
  static constexpr Duration kNamesMax{5'000};

 private:
  enum class LookUp {
    kNone,
    kRunning,
    kOutdated,  // it runs, and the grants have changed since: it is made once more
  };

  void look_up();
  void looked_up(Grantees found);
  void take(Grantees found);
  void look_up_later();
  void apply();
  void note_changes(const std::vector<GrantSettings>& before,
                    const std::vector<GrantSettings>& after);

  const Parts parts_;
  std::vector<GrantSettings> grants_;  // of the configuration that was read last
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
  std::unique_ptr<Worker> worker_;  // last, so that no job of its comes back to what is gone
};

}  // namespace rota
