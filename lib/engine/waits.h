#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/requests.h"

namespace rota {

// The clients that wait for a token, and until when. A wait is open, or answered by something that
// is not durable yet: then it keeps its deadline, for the commit may take longer than that.
//
// Which answer is best, the plan says (engine/best_answer.h); when it leaves, the outbox. Pure,
// and single-threaded: the engine owns it.
class Waits {
 public:
  // The id must be new. Its deadline is kWaitMax from now at the latest, however long the client
  // would wait.
  void add(WaitId wait, const WaitRequest& request, BootTime now);
  // It is over. What it was; none: there is no such wait.
  struct Wait {
    WaitRequest request;
    BootTime deadline;
    bool answered = false;
  };
  std::optional<Wait> remove(WaitId wait);
  // Waits for the member `from` wait for `into`, those that are answered included.
  void rename(MemberId from, MemberId into);

  // There must be such a wait, here and below.
  void mark_answered(WaitId wait) { waits_.at(wait).answered = true; }
  // What it was answered with is over: it waits on.
  void reopen(WaitId wait) { waits_.at(wait).answered = false; }

  const Wait& at(WaitId wait) const { return waits_.at(wait); }
  std::vector<WaitId> open() const;
  // The first to end; none: nobody waits.
  std::optional<std::pair<BootTime, WaitId>> first_deadline() const;
  std::size_t size() const { return waits_.size(); }

 private:
  std::map<WaitId, Wait> waits_;
  std::set<std::pair<BootTime, WaitId>> deadlines_;
};

}  // namespace rota
