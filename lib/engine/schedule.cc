#include "engine/schedule.h"

#include <algorithm>

namespace rota {

void Schedule::put(MemberId member, const MemberPlan& plan, bool call_in_flight,
                   QueuePlaces& places) {
  remove(member, places);
  if (plan.housekeeping) {
    places.housekeeping = plan.housekeeping;
    housekeeping_.insert({*plan.housekeeping, member});
  }
  if (call_in_flight) return;
  for (const Lane lane : kLanes) {
    const auto& call = plan.calls[index_of(lane)];
    if (!call) continue;
    places.lanes[index_of(lane)] = call->due;
    lanes_[index_of(lane)].insert({call->due, member});
  }
}

void Schedule::remove(MemberId member, QueuePlaces& places) {
  for (const Lane lane : kLanes) {
    WallTime& due = places.lanes[index_of(lane)];
    if (due != QueuePlaces::kNone) lanes_[index_of(lane)].erase({due, member});
    due = QueuePlaces::kNone;
  }
  end_housekeeping(member, places);
}

void Schedule::end_housekeeping(MemberId member, QueuePlaces& places) {
  if (places.housekeeping) housekeeping_.erase({*places.housekeeping, member});
  places.housekeeping.reset();
}

std::optional<Schedule::Due> Schedule::first(Lane lane) const {
  return first_of(lanes_[index_of(lane)]);
}

Schedule::Backlog Schedule::backlog(Lane lane, WallTime now) const {
  const Queue& queue = lanes_[index_of(lane)];
  constexpr Duration kTick{1};
  Backlog backlog{.calls = queue.count_before({now + kTick, MemberId{}})};
  // A call for a client that waits is due since the beginning of time, which says nothing.
  const auto first = queue.lower_bound({WallTime{} + kTick, MemberId{}});
  if (first != queue.end()) backlog.oldest = std::max(Duration{0}, now - first->first);
  return backlog;
}

std::size_t Schedule::due_before(WallTime time) const {
  std::size_t calls = 0;
  for (const Queue& queue : lanes_) calls += queue.count_before({time, MemberId{}});
  return calls;
}

std::optional<Schedule::Due> Schedule::first_housekeeping() const {
  return first_of(housekeeping_);
}

std::optional<WallTime> Schedule::next_due() const {
  std::optional<WallTime> due;
  for (const Queue& queue : lanes_) {
    if (!queue.empty()) due = std::min(due.value_or(queue.begin()->first), queue.begin()->first);
  }
  return due;
}

std::optional<Schedule::Due> Schedule::first_of(const Queue& queue) {
  if (queue.empty()) return std::nullopt;
  return Due{.at = queue.begin()->first, .member = queue.begin()->second};
}

}  // namespace rota
