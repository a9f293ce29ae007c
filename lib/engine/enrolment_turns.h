#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "engine/requests.h"
#include "plan/allowance.h"

namespace rota {

// The clients that wait until a new name may cost its first call. First issues of enrolled members
// take at most a share of the budget, in turns between clients: whoever enrols 10,000 members at
// once delays neither the refreshes nor another client's single login. Not stored. Times are on the
// boot clock. Each method costs O(log n) of the waits, since a crowd may wait and give up together.
// Pure, and single-threaded: the engine owns it.
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

  bool empty() const { return waiting_.empty(); }

 private:
  using Queue = std::map<std::uint64_t, WaitId>;  // in the order in which they came
  struct Place {
    std::string client;
    std::uint64_t number = 0;
  };
  Allowance allowance_;
  std::uint64_t next_number_ = 0;
  std::map<std::string, Queue> waiting_;  // by client; no queue is empty
  std::map<WaitId, Place> places_;        // in waiting_
  std::string last_;                      // the client that had the last turn
};

}  // namespace rota
