#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace rota {

// How the files on disk compare with what is in force. A problem that is empty is none.
struct FileStanding {
  std::string config_problem;               // why the configuration could not be read last time
  std::string app_token_problem;            // why the app token could not be read last time
  std::string roster_problem;               // why the roster on disk is not in force
  std::vector<std::string> held_grants;     // why grants are held back
  bool grants_wait = false;                 // grants that a reload added wait for the roster
  bool grants_unread = false;               // grants and roster changed on disk, without a reload
  std::optional<WallTime> roster_taken_at;  // when one last came into force; this machine's clock
};

// Keeps the FileStanding up to date as the daemon reads its files. Loop thread only. A roster comes
// into force some time after it was read, and another reading may have failed by then: only the
// latest reading decides whether there is a problem.
class Readings {
 public:
  enum class Id : std::uint64_t {};

  // A valid roster was read. If it comes into force, roster_taken() follows with this id.
  Id roster_read() { return Id{++latest_}; }
  void roster_failed(std::string why) {
    ++latest_;
    standing_.roster_problem = std::move(why);
  }
  void roster_taken(Id reading, WallTime wall) {
    standing_.roster_taken_at = wall;
    if (reading == Id{latest_}) standing_.roster_problem.clear();
  }
  // It was read, but an approval for another plan refused all of it: the reading does not count.
  void roster_unread(Id reading) {
    if (reading == Id{latest_}) --latest_;
  }
  void config_failed(std::string why) { standing_.config_problem = std::move(why); }
  void config_read() { standing_.config_problem.clear(); }
  void app_token_failed(std::string why) { standing_.app_token_problem = std::move(why); }
  void app_token_read() { standing_.app_token_problem.clear(); }
  void grants_held(std::vector<std::string> why) { standing_.held_grants = std::move(why); }
  void grants_wait(bool wait) { standing_.grants_wait = wait; }
  void grants_unread(bool unread) { standing_.grants_unread = unread; }
  // The id that roster_read() will return next.
  Id next() const { return Id{latest_ + 1}; }

  const FileStanding& standing() const { return standing_; }

 private:
  std::uint64_t latest_ = 0;
  FileStanding standing_{.config_problem = {},
                         .app_token_problem = {},
                         .roster_problem = "no roster has come into force since the start",
                         .held_grants = {},
                         .grants_wait = false,
                         .grants_unread = false,
                         .roster_taken_at = {}};
};

}  // namespace rota
