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

// The clients that wait for a token, and their deadlines. A wait is open, or it is answered and the
// answer is not durable yet. It keeps its deadline then, because the commit may take longer.
//
// best_answer() decides what to answer, and the outbox when the answer leaves. Times are on the
// boot clock. Pure, and single-threaded: the engine owns it.
class Waits {
 public:
  // The id must be new. The deadline is at most kWaitMax from now, even if the client asks for
  // more.
  void add(WaitId wait, const WaitRequest& request, BootTime now);
  // Ends the wait and returns it; none: there is no such wait.
  struct Wait {
    WaitRequest request;
    BootTime deadline;
    bool answered = false;
    bool is_new = false;        // its enrolment made the member, or brought it back
    bool was_extended = false;  // extend() was called
  };
  std::optional<Wait> remove(WaitId wait);
  // Waits for the member `from` become waits for `into`, including answered ones. `was_member`:
  // `into` was a member before, so that no enrolment made it one.
  void rename(MemberId from, MemberId into, bool was_member);

  // From here on the wait must exist.
  // A wait that enrols is about this member from now on.
  void assign(WaitId wait, MemberId member, bool is_new);
  // Its answer is decided but not durable at its deadline: it has until `deadline` for that.
  void extend(WaitId wait, BootTime deadline);
  void mark_answered(WaitId wait) { waits_.at(wait).answered = true; }
  // The same, and another answer may replace it until it has left.
  void mark_answered_for_now(WaitId wait);
  // Those about this member.
  std::vector<WaitId> answered_for_now(MemberId member) const;
  // Its answer is no longer possible: the wait goes on.
  void reopen(WaitId wait) { waits_.at(wait).answered = false; }

  const Wait& at(WaitId wait) const { return waits_.at(wait); }
  std::vector<WaitId> open() const;
  // The first deadline; none: nobody waits.
  std::optional<std::pair<BootTime, WaitId>> first_deadline() const;
  std::size_t size() const { return waits_.size(); }

 private:
  std::map<WaitId, Wait> waits_;
  std::set<std::pair<BootTime, WaitId>> deadlines_;
  std::set<std::pair<MemberId, WaitId>> for_now_;
};

}  // namespace rota
