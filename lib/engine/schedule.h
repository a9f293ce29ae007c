#pragma once

#include <array>
#include <optional>
#include <utility>

#include "base/chunked_set.h"
#include "base/time.h"
#include "engine/queue_places.h"
#include "model/record.h"
#include "plan/lane.h"
#include "plan/next_action.h"

namespace rota {

// Which member is due next: one queue for each lane of calls, and one for housekeeping, which looks
// at a record without a call. A member has at most one place in each queue. Times are on Circle's
// clock.
//
// It does not know whether a call may be sent now (engine/call_gate.h does). Pure, and
// single-threaded: the engine owns it. Each method costs O(log n).
class Schedule {
 public:
  struct Due {
    WallTime at;
    MemberId member{};
  };

  // Gives the member the places that `plan` asks for, and no others. `places` are the member's own:
  // the caller keeps them, passes the same ones every time and never writes them. With a call in
  // flight the member has no place in a lane, because it has one call at a time (P9).
  void put(MemberId member, const MemberPlan& plan, bool call_in_flight, QueuePlaces& places);
  // Takes the member out of every queue; to be called before it is forgotten.
  void remove(MemberId member, QueuePlaces& places);
  // The member's record was looked at.
  void end_housekeeping(MemberId member, QueuePlaces& places);

  // The member that comes first; none: the queue is empty.
  std::optional<Due> first(Lane lane) const;
  std::optional<Due> first_housekeeping() const;
  // The calls of a lane that are due.
  struct Backlog {
    std::size_t calls = 0;
    Duration oldest{0};  // how long the first of them has been due; what is due at once counts none
  };
  Backlog backlog(Lane lane, WallTime now) const;
  // How many calls of all lanes are due before this time.
  std::size_t due_before(WallTime time) const;
  // When the first call of all lanes is due.
  std::optional<WallTime> next_due() const;

 private:
  using Queue = ChunkedSet<std::pair<WallTime, MemberId>>;
  static std::optional<Due> first_of(const Queue& queue);

  std::array<Queue, kLaneCount> lanes_;
  Queue housekeeping_;
};

}  // namespace rota
