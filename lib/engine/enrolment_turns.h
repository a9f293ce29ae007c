#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/requests.h"
#include "plan/allowance.h"

namespace rota {

// The clients that wait until a new name may cost its first call. First issues of enrolled members
// take at most a share of the budget, in turns between clients: whoever enrols 10,000 members at
// once delays neither the refreshes nor another client's single login. Not stored. Times are on the
// boot clock. Pure, and single-threaded: the engine owns it.
class EnrolmentTurns {
 public:
  // `calls` first issues within any `window`.
  EnrolmentTurns(std::size_t calls, Duration window) : allowance_(calls, window) {}

  // The wait must not be here yet.
  void add(WaitId wait, const std::string& client);
  // Does nothing if it is not here.
  void remove(WaitId wait);

  // Takes out the wait whose turn it is, and counts it; none: nobody waits, or no more may go now.
  std::optional<WaitId> take(BootTime now);
  // The last take() needed no call after all.
  void give_back() { allowance_.give_back(); }
  // When take() can return one; none: nobody waits, or nothing may ever go.
  std::optional<BootTime> next(BootTime now);

  std::vector<WaitId> all() const;
  bool empty() const { return waiting_.empty(); }

 private:
  Allowance allowance_;
  std::map<std::string, std::deque<WaitId>> waiting_;  // by client; no queue is empty
  std::string last_;                                   // the client that had the last turn
};

}  // namespace rota
