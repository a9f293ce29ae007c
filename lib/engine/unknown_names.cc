#include "engine/unknown_names.h"

#include <algorithm>

namespace rota {

void UnknownNames::note(const MemberKey& key, BootTime now) {
  Duration pause = kPauseMin;
  if (const auto known = names_.find(key); known != names_.end()) {
    const Name& name = known->second;
    // Long after its end the pause begins anew.
    if (now - name.noted_at < name.pause + kPauseMax) pause = std::min(2 * name.pause, kPauseMax);
    drop(known);
  }
  names_.emplace(key, Name{.noted_at = now, .pause = pause});
  by_time_.emplace(now, key);
  if (names_.size() > kNamesMax) drop(names_.find(by_time_.begin()->second));
}

bool UnknownNames::recalls(const MemberKey& key, BootTime now) const {
  const auto name = names_.find(key);
  return name != names_.end() && now - name->second.noted_at < name->second.pause;
}

bool UnknownNames::asked_just_now(const MemberKey& key, BootTime now) const {
  const auto name = names_.find(key);
  return name != names_.end() && now - name->second.noted_at < kPauseMin;
}

void UnknownNames::forget(const MemberKey& key) {
  if (const auto name = names_.find(key); name != names_.end()) drop(name);
}

void UnknownNames::drop(std::map<MemberKey, Name>::iterator name) {
  by_time_.erase({name->second.noted_at, name->first});
  names_.erase(name);
}

}  // namespace rota
