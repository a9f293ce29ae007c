#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/time.h"
#include "settings/secret_files.h"

namespace rota {

// Decides when a roster that is being changed is read: once it has been left alone for kSettle, so
// that no half-written roster is read. It waits until a file that is being written is closed. A
// change shows in events, or, if there is no event, in the roster's stamp
// (settings/secret_files.h).
//
// Pure. The caller watches, takes the stamps and keeps the timer (daemon/roster_watch.h): after
// each call that takes `now`, it sets the timer to due(). `now` never goes back. A value.
class RosterSettling {
 public:
  static constexpr Duration kSettle{300};
  // A file that stays open after a write counts as finished after this long without another write.
  static constexpr Duration kWriterMax{30'000};
  // If changes do not stop for this long, the advice is kTellOfIt. The roster is not read then,
  // because it may be half written.
  static constexpr Duration kUnsettledMax{30'000};

  // One file under one name; the folder is told by a number of the caller's.
  using File = std::pair<int, std::string>;
  enum class Touch {
    kWritten,  // and more may follow, until it is closed
    kClosed,   // written in full, or another file has the name now, or none
    kOther,    // opened anew, its rights changed, …
  };
  enum class Advice {
    kWait,       // until due(), if there is one
    kTellOfIt,   // as kWait, and say that it changes all the time; once for each such time
    kReadItNow,  // and then take the stamp again: looked()
  };

  // `stamp`: of the roster as it is at the beginning.
  explicit RosterSettling(RosterStamp stamp = {}) : seen_(std::move(stamp)) {}

  // One event about a file of the roster; touched() follows behind the last one that was there.
  void note(File file, Touch touch);
  // Events were lost: nobody knows which files are being written.
  void note_lost() { writing_.clear(); }
  Advice touched(BootTime now) { return settle(By::kEvents, now); }

  // The roster has this stamp now.
  Advice looked(RosterStamp stamp, BootTime now);
  // It is due(), and the roster has this stamp. kWait before that.
  Advice due_now(RosterStamp stamp, BootTime now);

  // When due_now() is to be asked; none: nothing has changed.
  std::optional<BootTime> due() const { return due_; }

 private:
  // By what the last change was seen.
  enum class By {
    kEvents,
    kStamp,  // no event tells whether it goes on: the stamp has to be the same twice
  };

  Advice settle(By by, BootTime now);

  RosterStamp seen_;
  By by_ = By::kEvents;
  std::set<File> writing_;  // written to and not closed since
  std::optional<BootTime> due_;
  std::optional<BootTime> unsettled_since_;
  bool told_ = false;  // of this time
};

}  // namespace rota
