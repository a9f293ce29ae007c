#pragma once

#include <cstddef>
#include <string>

#include "engine/commands.h"

namespace rota {

// How a stop ended.
struct Ending {
  bool in_time = true;  // all calls and connections
  std::size_t calls_in_flight = 0;
  bool changes_left = false;       // the engine has changes that are not committed
  std::string commit_error{};      // why; empty: not known
  std::string database_problem{};  // Rotator::database_problem()
  std::size_t audit_left = 0;      // entries of the audit trail that the store does not take
};

struct LastWord {
  Severity severity = Severity::kInfo;
  std::string text;
  bool all_is_durable = true;  // otherwise the exit status is not 0
};
// What rotad says at its end.
LastWord last_word(const Ending& ending);

}  // namespace rota
