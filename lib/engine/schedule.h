#pragma once

#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/time.h"
#include "engine/queue_places.h"
#include "model/record.h"
#include "plan/lane.h"
#include "plan/next_action.h"

namespace rota {

// Who is due next: a queue for each lane of calls, and one for records that have to be looked at
// without a call. All times are on Circle's clock. A member has one place at most in each queue.
//
// It knows nothing of what a call costs or whether it may be sent now (engine/call_gate.h). Pure,
// and single-threaded: the engine owns it. A step costs O(log n).
class Schedule {
 public:
  struct Due {
    WallTime at;
    MemberId member{};
  };

  // Puts the member where `plan` says, and nowhere else. `places`: the member's own, the same ones
  // at each call, which the caller keeps and never writes. With a call in flight it waits in no
  // lane, since there is one call at a time (P9).
  void put(MemberId member, const MemberPlan& plan, bool call_in_flight, QueuePlaces& places);
  // Takes it out of every queue. Do so before the member is forgotten.
  void remove(MemberId member, QueuePlaces& places);
  // Its record was looked at.
  void end_housekeeping(MemberId member, QueuePlaces& places);

  // Who comes first; none: the queue is empty.
  std::optional<Due> first(Lane lane) const;
  std::optional<Due> first_housekeeping() const;
  // When the first call of all lanes is due.
  std::optional<WallTime> next_due() const;

 private:
  using Queue = std::set<std::pair<WallTime, MemberId>>;
  static std::optional<Due> first_of(const Queue& queue);

  std::array<Queue, kLaneCount> lanes_;
  Queue housekeeping_;
};

}  // namespace rota
