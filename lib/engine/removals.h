#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "roster/guard.h"

namespace rota {

// Holds back a client that removes very many members within an hour, and spreads the members that
// leave because nobody asks for them. Not stored. Times are on the boot clock, so no clock step
// makes many members leave at once. Pure, and single-threaded: the engine owns it.
class Removals {
 public:
  explicit Removals(const GuardPolicy& guard) : guard_(guard) {}

  enum class Verdict {
    kAllowed,       // counted
    kFirstRefused,  // more than the guard's measure: one alarm
    kRefused,       // the same, and it was told before
  };
  // The client asks to end an enrolment. `enrolled`: how many members are enrolled now.
  Verdict ask(const std::string& client, std::size_t enrolled, BootTime now);
  // An operator agrees: for kSpan nothing holds this client back.
  void lift(const std::string& client, BootTime now);
  bool holds_back(const std::string& client) const;

  // When a member that nobody asks for may leave: each gets a moment of its own, so that of
  // `enrolled` members at most kIdleShare leave within an hour, but one an hour in any case.
  BootTime next_idle_leave(std::size_t enrolled, BootTime now);

  static constexpr Duration kSpan = std::chrono::hours{1};
  static constexpr double kIdleShare = 0.02;

 private:
  struct Client {
    std::deque<BootTime> removed;  // within the last kSpan
    bool told = false;             // that it is held back
    std::optional<BootTime> free_until;
  };

  const GuardPolicy guard_;
  std::map<std::string, Client> clients_;
  std::optional<BootTime> last_idle_leave_;
};

}  // namespace rota
