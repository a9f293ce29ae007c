#include "table/subscriptions.h"

#include "base/check.h"

namespace rota {

void Subscriptions::subscribe(Subscriber& subscriber, std::span<const MemberKey> keys) {
  auto [place, fresh] = keys_of_.try_emplace(&subscriber);
  ROTA_CHECK(fresh);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    by_key_[keys[i]].push_back({.subscriber = &subscriber, .index = i});
    place->second.push_back(keys[i]);
  }
}

void Subscriptions::subscribe_to_all(Subscriber& subscriber) { of_all_.push_back(&subscriber); }

void Subscriptions::unsubscribe(Subscriber& subscriber) {
  std::erase(of_all_, &subscriber);
  const auto node = keys_of_.extract(&subscriber);
  if (node.empty()) return;
  for (const MemberKey& key : node.mapped()) {
    const auto followers = by_key_.find(key);
    if (followers == by_key_.end()) continue;  // its list had the same key twice
    std::erase_if(followers->second,
                  [&](const Follower& each) { return each.subscriber == &subscriber; });
    if (followers->second.empty()) by_key_.erase(followers);
  }
}

void Subscriptions::key_changed(const MemberKey& key) const {
  const auto followers = by_key_.find(key);
  if (followers == by_key_.end()) return;
  for (const Follower& each : followers->second) each.subscriber->on_key_changed(each.index);
}

void Subscriptions::any_changed() const {
  for (Subscriber* subscriber : of_all_) subscriber->on_any_changed();
}

}  // namespace rota
