#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include "base/time.h"
#include "model/member_key.h"

namespace rota {

// The names that Circle did not know lately. Whoever mistypes an address at a login form, again and
// again, costs one call in 10 s, then 20 s, and in the end one in 5 min. Not stored. Of more than
// kNamesMax names the ones noted the longest ago are dropped. Times are on the boot clock. Pure,
// and single-threaded: the engine owns it.
class UnknownNames {
 public:
  // Circle said now that it has no such member.
  void note(const MemberKey& key, BootTime now);
  // Whether that was so short a time ago that Circle need not be asked again.
  bool recalls(const MemberKey& key, BootTime now) const;
  // Whether a client that wants to ask all the same has to wait, since Circle was asked less than
  // kPauseMin ago.
  bool asked_just_now(const MemberKey& key, BootTime now) const;
  // The name is a member's now.
  void forget(const MemberKey& key);
  std::size_t size() const { return names_.size(); }

  static constexpr Duration kPauseMin = std::chrono::seconds{10};
  static constexpr Duration kPauseMax = std::chrono::minutes{5};
  static constexpr std::size_t kNamesMax = 10'000;

 private:
  struct Name {
    BootTime noted_at;
    Duration pause;
  };
  void drop(std::map<MemberKey, Name>::iterator name);

  std::map<MemberKey, Name> names_;
  std::set<std::pair<BootTime, MemberKey>> by_time_;  // of the last note()
};

}  // namespace rota
