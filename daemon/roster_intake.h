#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
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

// How the roster on disk comes into force: at the start, at a change, at a reload, by an approval.
// One that cannot be used changes nothing: the last good one stays in force (P6), and the log and
// the readings say why. Files are read and parsed on the thread for files, but at the start. Loop
// thread only.
class RosterIntake {
 public:
  struct Parts {  // all outlive the intake, and the loop has ended when it goes
    boost::asio::io_context& loop;
    Log& log;
    Worker& files;
    DaemonNotes& notes;
    Readings& readings;
    GrantKeeper& grants;
    Rotator& rotator;
    const HiddenValues& hidden;
  };
  // What a start finds on disk.
  struct First {
    bool in_force = false;   // byte for byte what is on record: it is not even parsed
    SortedRosterPtr roster;  // to be applied; null: it is in force, or what is on record serves on
  };
  using Taken = std::move_only_function<void(const Result<RosterPlanPtr>&)>;

  RosterIntake(Parts parts, const RosterSettings& settings, std::string config_path);

  // From here on a change of the file is read by itself, if the settings want that; `settled` comes
  // when what became of it is known.
  void watch(std::function<void()> settled);
  // Blocks. kConfig when there is neither a usable roster nor anything on record.
  Result<First> read_first();
  // Calls `in_force` once it is durable: from inside of this call if there is nothing to apply, and
  // not at all if the disk takes nothing.
  void take_first(First first, std::move_only_function<void()> in_force);

  // `done` comes later, with the roster or with why there is none: kConfig or kIo.
  void read(std::move_only_function<void(Result<SortedRosterPtr>)> done);
  // Has one that was read just now brought into force; `done` as of Rotator::RosterEvents.
  // `approve`: the id of a held plan, or empty.
  void take(SortedRosterPtr roster, const std::string& approve, Taken done);
  // What the roster on disk would change now; brings nothing into force. `done` comes later. One
  // look at a time serves all who ask meanwhile.
  void plan(std::move_only_function<void(Result<RosterPlanPtr>)> done);

  // Changes are left alone from here on. Harmless to repeat.
  void stop();

 private:
  // How far the intake is with a change that the watch told of.
  enum class Change {
    kNone,
    kReading,
    kReadingStale,  // and it has changed once more
  };
  struct OnDisk {
    Result<Settings> settings;
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
