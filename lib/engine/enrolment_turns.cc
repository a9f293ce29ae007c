#include "engine/enrolment_turns.h"

namespace rota {

void EnrolmentTurns::add(WaitId wait, const std::string& client) {
  waiting_[client].push_back(wait);
}

void EnrolmentTurns::remove(WaitId wait) {
  for (auto queue = waiting_.begin(); queue != waiting_.end(); ++queue) {
    if (std::erase(queue->second, wait) == 0) continue;
    if (queue->second.empty()) waiting_.erase(queue);
    return;
  }
}

std::optional<WaitId> EnrolmentTurns::take(BootTime now) {
  if (waiting_.empty() || !allowance_.has(1, now)) return std::nullopt;
  auto queue = waiting_.upper_bound(last_);
  if (queue == waiting_.end()) queue = waiting_.begin();
  last_ = queue->first;
  const WaitId wait = queue->second.front();
  queue->second.pop_front();
  if (queue->second.empty()) waiting_.erase(queue);
  allowance_.take(now);
  return wait;
}

std::optional<BootTime> EnrolmentTurns::next(BootTime now) {
  return waiting_.empty() ? std::nullopt : allowance_.next(now);
}

std::vector<WaitId> EnrolmentTurns::all() const {
  std::vector<WaitId> all;
  for (const auto& [client, queue] : waiting_) all.insert(all.end(), queue.begin(), queue.end());
  return all;
}

}  // namespace rota
