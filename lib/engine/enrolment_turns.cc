#include "engine/enrolment_turns.h"

namespace rota {

void EnrolmentTurns::add(WaitId wait, const std::string& client) {
  const std::uint64_t number = next_number_++;
  waiting_[client].emplace(number, wait);
  places_.emplace(wait, Place{.client = client, .number = number});
}

void EnrolmentTurns::remove(WaitId wait) {
  const auto place = places_.find(wait);
  if (place == places_.end()) return;
  const auto queue = waiting_.find(place->second.client);
  queue->second.erase(place->second.number);
  if (queue->second.empty()) waiting_.erase(queue);
  places_.erase(place);
}

std::optional<WaitId> EnrolmentTurns::take(BootTime now) {
  if (waiting_.empty() || !allowance_.has(1, now)) return std::nullopt;
  auto queue = waiting_.upper_bound(last_);
  if (queue == waiting_.end()) queue = waiting_.begin();
  last_ = queue->first;
  const WaitId wait = queue->second.begin()->second;
  remove(wait);
  allowance_.take(now);
  return wait;
}

std::optional<BootTime> EnrolmentTurns::next(BootTime now) {
  return waiting_.empty() ? std::nullopt : allowance_.next(now);
}

}  // namespace rota
