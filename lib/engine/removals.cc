#include "engine/removals.h"

#include <algorithm>
#include <utility>

namespace rota {

Removals::Verdict Removals::ask(const std::string& client, std::size_t enrolled, BootTime now) {
  Client& asking = clients_[client];
  while (!asking.removed.empty() && asking.removed.front() + kSpan <= now) {
    asking.removed.pop_front();
  }
  const std::size_t removed = asking.removed.size();
  const bool is_free = asking.free_until && now < *asking.free_until;
  if (!is_free && held_by_guard(removed + 1, enrolled + removed, guard_)) {
    const bool was_told = std::exchange(asking.told, true);
    return was_told ? Verdict::kRefused : Verdict::kFirstRefused;
  }
  asking.told = false;
  asking.removed.push_back(now);
  return Verdict::kAllowed;
}

void Removals::lift(const std::string& client, BootTime now) {
  clients_[client] = {.removed = {}, .told = false, .free_until = now + kSpan};
}

bool Removals::holds_back(const std::string& client) const {
  const auto known = clients_.find(client);
  return known != clients_.end() && known->second.told;
}

BootTime Removals::next_idle_leave(std::size_t enrolled, BootTime now) {
  const double an_hour = std::max(1.0, kIdleShare * static_cast<double>(enrolled));
  const Duration gap{static_cast<Duration::rep>(static_cast<double>(kSpan.count()) / an_hour)};
  last_idle_leave_ = last_idle_leave_ ? std::max(now, *last_idle_leave_ + gap) : now;
  return *last_idle_leave_;
}

}  // namespace rota
