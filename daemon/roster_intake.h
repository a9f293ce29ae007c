#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "daemon/daemon_notes.h"
#include "daemon/grant_keeper.h"
#include "daemon/log.h"
#include "daemon/roster_watch.h"
#include "daemon/worker.h"
#include "report/readings.h"
#include "roster/sorted_roster.h"
#include "rotator/rotator.h"
#include "settings/hidden_values.h"
#include "settings/settings.h"

namespace rota {

// Brings the roster on disk into force: at the start, after a change, at a reload, by an approval.
// A roster that cannot be used changes nothing: the last good one stays in force (P6), and the log
// and the readings say why. Files are read and parsed on the thread for files, except at the start.
// Loop thread only.
class RosterIntake {
 public:
  struct Parts {  // all outlive the intake, and the loop has ended when it goes
    boost::asio::io_context& loop;
    const Clock& clock;
    Log& log;
    Worker& files;
    DaemonNotes& notes;
    Readings& readings;
    GrantKeeper& grants;
    Rotator& rotator;
    const HiddenValues& hidden;
  };
  // What the start finds on disk.
  struct First {
    bool in_force = false;   // the files are byte for byte those in force, and were not parsed
    SortedRosterPtr roster;  // to be applied; null: it is in force, or it cannot be used
  };
  using Taken = std::move_only_function<void(const Result<RosterPlanPtr>&)>;

  RosterIntake(Parts parts, const RosterSettings& settings, std::string config_path);

  // From here on the roster is read when it changes, unless `watch` is off. `settled` is called
  // when the change is in force, or has failed.
  void watch(std::function<void()> settled);
  // Reads the roster for the start. Blocks. kConfig: it cannot be used, and nothing is on record.
  Result<First> read_first();
  // Brings it into force. Calls `in_force` when it is durable: inside this call if there is nothing
  // to apply; never, if a commit fails first.
  void take_first(First first, std::move_only_function<void()> in_force);

  // Reads the roster. `done` is called later, with the roster or with kConfig or kIo.
  void read(std::move_only_function<void(Result<SortedRosterPtr>)> done);
  // Brings a roster into force that was just read; see Rotator::RosterEvents for `done`. `approve`:
  // the id of a held plan, or empty.
  void take(SortedRosterPtr roster, const std::string& approve, Taken done);
  // What the roster on disk would change now. Nothing comes into force. `done` is called later. One
  // reading serves all who ask while it runs.
  void plan(std::move_only_function<void(Result<RosterPlanPtr>)> done);

  // Ignores changes from here on. May be called again.
  void stop();

 private:
  // How far the reading of a change is.
  enum class Change {
    kNone,
    kReading,
    kReadingStale,  // the roster changed again while it was read
  };
  struct OnDisk {
    std::optional<std::vector<GrantSettings>> grants;  // nullopt: nobody knows what they ask for
    Result<SortedRosterPtr> roster;
  };

  bool is_on_record() const;
  void changed();
  void change_read(OnDisk on_disk);
  void change_settled(bool taken);
  void note_reading(const Result<SortedRosterPtr>& roster);
  void answer_plan(const Result<RosterPlanPtr>& plan);

  const Parts parts_;
  const RosterSettings settings_;
  const std::string config_path_;
  std::unique_ptr<RosterWatch> watch_;
  std::function<void()> settled_ = [] {};
  Change change_ = Change::kNone;
  bool refused_ = false;  // the last reading of the roster on disk failed
  bool stopped_ = false;
  std::vector<std::move_only_function<void(Result<RosterPlanPtr>)>> plans_asked_;
};

}  // namespace rota
