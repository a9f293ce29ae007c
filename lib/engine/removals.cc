#include "engine/removals.h"

#include <algorithm>
#include <ranges>

namespace rota {

Removals::Removals(const GuardPolicy& guard, const HeldClients& held)
    : guard_(guard), on_record_(held) {
  for (const Fingerprint name : held) {
    if (name != 0) held_.try_emplace(name);
  }
}

Removals::Verdict Removals::ask(const std::string& client,
                                const std::function<std::size_t()>& count_own, BootTime now) {
  if (holds_back(client)) {
    learn_name(client);
    return Verdict::kRefused;
  }
  Client& asking = clients_[client];
  if (asking.free_until && now < *asking.free_until) return Verdict::kAllowed;
  while (!asking.removed.empty() && asking.removed.front() + kSpan <= now) {
    asking.removed.pop_front();
  }
  if (is_past_measure(asking, count_own, now)) {
    held_.emplace(fingerprint_of(client), client);
    return Verdict::kFirstRefused;
  }
  asking.removed.push_back(now);
  return Verdict::kAllowed;
}

bool Removals::is_past_measure(Client& asking, const std::function<std::size_t()>& count_own,
                               BootTime now) const {
  const std::size_t removed = asking.removed.size();
  if (removed + 1 <= guard_.max_retire_count) return false;
  if (!asking.counted_at || *asking.counted_at + kCountEvery <= now) {
    asking.had = count_own() + removed;
    asking.counted_at = now;
  }
  return held_by_guard(removed + 1, asking.had, guard_);
}

void Removals::lift(const std::string& client, BootTime now) {
  held_.erase(fingerprint_of(client));
  clients_[client] = {
      .removed = {}, .had = 0, .counted_at = std::nullopt, .free_until = now + kSpan};
}

bool Removals::holds_back(const std::string& client) const {
  return !held_.empty() && held_.contains(fingerprint_of(client));
}

bool Removals::is_lifted(const std::string& client, BootTime now) const {
  const auto known = clients_.find(client);
  return known != clients_.end() && known->second.free_until && now < *known->second.free_until;
}

void Removals::learn_name(const std::string& client) {
  if (held_.empty()) return;
  if (const auto held = held_.find(fingerprint_of(client)); held != held_.end()) {
    held->second = client;
  }
}

std::vector<std::string> Removals::held_back() const {
  std::vector<std::string> names;
  for (const auto& [fingerprint, name] : held_) {
    names.push_back(name.empty() ? "hash:" + format_fingerprint(fingerprint) : name);
  }
  std::ranges::sort(names);
  return names;
}

void Removals::record(std::vector<Mutation>& changes) {
  HeldClients held{};
  std::ranges::copy(held_ | std::views::keys | std::views::take(held.size()), held.begin());
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (held.at(i) == on_record_.at(i)) continue;
    changes.emplace_back(PutMeta{kHeldClientKeys.at(i), static_cast<std::int64_t>(held.at(i))});
  }
  on_record_ = held;
}

BootTime Removals::next_idle_leave(std::size_t enrolled, BootTime now) {
  const double an_hour = std::max(1.0, kIdleShare * static_cast<double>(enrolled));
  const Duration gap{static_cast<Duration::rep>(static_cast<double>(kSpan.count()) / an_hour)};
  last_idle_leave_ = last_idle_leave_ ? std::max(now, *last_idle_leave_ + gap) : now;
  return *last_idle_leave_;
}

}  // namespace rota
