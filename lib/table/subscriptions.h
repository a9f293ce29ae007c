#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/member_key.h"

namespace rota {

// Is told that something in the table changed. The table calls this in the middle of the change, so
// a subscriber only takes note and looks at the table later. If something has changed twice by
// then, it sees the later form only.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // For a subscriber that follows keys: the member changed to which key number `index` of its list
  // leads or led.
  virtual void on_key_changed(std::size_t index) = 0;
  // For a subscriber that follows all members: some member changed.
  virtual void on_any_changed() = 0;
};

// Who follows which members of the table. A change costs one look-up for each of the member's keys,
// and a call for each subscriber that is told. Loop thread only.
class Subscriptions {
 public:
  // The subscriber must live until unsubscribe(), and subscribes once, to keys or to all;
  // subscribe() aborts if it has keys already. Keys need not lead to any member.
  void subscribe(Subscriber& subscriber, std::span<const MemberKey> keys);
  void subscribe_to_all(Subscriber& subscriber);
  // Does nothing if there is no subscription. Not from inside a Subscriber's method.
  void unsubscribe(Subscriber& subscriber);

  // Only the table calls these.
  void key_changed(const MemberKey& key) const;
  void any_changed() const;
  bool follows_keys() const { return !by_key_.empty(); }

 private:
  struct Follower {
    Subscriber* subscriber = nullptr;
    std::size_t index = 0;  // of the key in the subscriber's list
  };
  std::unordered_map<MemberKey, std::vector<Follower>> by_key_;
  std::unordered_map<Subscriber*, std::vector<MemberKey>> keys_of_;
  std::vector<Subscriber*> of_all_;
};

}  // namespace rota
