#include "engine/waits.h"

#include <algorithm>

namespace rota {

void Waits::add(WaitId wait, const WaitRequest& request, BootTime now) {
  const BootTime deadline = now + std::clamp(request.wait, Duration{0}, kWaitMax);
  waits_.emplace(wait, Wait{.request = request, .deadline = deadline});
  deadlines_.emplace(deadline, wait);
}

std::optional<Waits::Wait> Waits::remove(WaitId wait) {
  const auto it = waits_.find(wait);
  if (it == waits_.end()) return std::nullopt;
  Wait removed = it->second;
  deadlines_.erase({removed.deadline, wait});
  for_now_.erase({removed.request.member, wait});
  waits_.erase(it);
  return removed;
}

void Waits::rename(MemberId from, MemberId into, bool was_member) {
  for (auto& [id, wait] : waits_) {
    if (wait.request.member != from) continue;
    wait.request.member = into;
    if (for_now_.erase({from, id}) > 0) for_now_.emplace(into, id);
    if (was_member) wait.is_new = false;
  }
}

void Waits::assign(WaitId id, MemberId member, bool is_new) {
  Wait& wait = waits_.at(id);
  wait.request.member = member;
  wait.is_new = is_new;
}

void Waits::extend(WaitId id, BootTime deadline) {
  Wait& wait = waits_.at(id);
  deadlines_.erase({wait.deadline, id});
  wait.deadline = deadline;
  wait.was_extended = true;
  deadlines_.emplace(deadline, id);
}

void Waits::mark_answered_for_now(WaitId id) {
  Wait& wait = waits_.at(id);
  wait.answered = true;
  for_now_.emplace(wait.request.member, id);
}

std::vector<WaitId> Waits::answered_for_now(MemberId member) const {
  std::vector<WaitId> found;
  for (auto it = for_now_.lower_bound({member, WaitId{}});
       it != for_now_.end() && it->first == member; ++it) {
    found.push_back(it->second);
  }
  return found;
}

std::vector<WaitId> Waits::open() const {
  std::vector<WaitId> open;
  for (const auto& [id, wait] : waits_) {
    if (!wait.answered) open.push_back(id);
  }
  return open;
}

std::optional<std::pair<BootTime, WaitId>> Waits::first_deadline() const {
  return deadlines_.empty() ? std::nullopt : std::optional(*deadlines_.begin());
}

}  // namespace rota
