#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace rota {

// How the files on disk stand to what is in force.
struct FileStanding {
  std::string
      config_problem;  // why the last reading of the configuration failed; empty: it did not
  std::string app_token_problem;            // why the app token could not be read; empty: it was
  std::string roster_problem;               // why the roster on disk is not in force; empty: it is
  std::vector<std::string> held_grants;     // why grants are held back
  bool grants_wait = false;                 // those that a reload brought wait for the roster
  bool grants_unread = false;               // the configuration's changed beside a changed roster
  std::optional<WallTime> roster_taken_at;  // this machine's clock: when one last came into force
};

// Keeps that standing over the readings of the daemon. A roster comes into force some time after it
// was read, and a later reading may have failed meanwhile: only the latest one counts.
class Readings {
 public:
  enum class Id : std::uint64_t {};

  Id roster_read() { return Id{++latest_}; }  // it is valid; taken() follows, or never does
  void roster_failed(std::string why) {
    ++latest_;
    standing_.roster_problem = std::move(why);
  }
  void roster_taken(Id reading, WallTime wall) {
    standing_.roster_taken_at = wall;
    if (reading == Id{latest_}) standing_.roster_problem.clear();
  }
  // It was read, and then nothing of it was to be applied.
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
  // What roster_read() returns next.
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
