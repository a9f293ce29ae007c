#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/member_key.h"

namespace rota {

// Told that something of the table changed. It is told from inside of the change, so it only takes
// note, and looks at the table later: of what changed twice by then it sees the last.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // To one that follows keys: what the key of this index leads to is not what it was.
  virtual void on_key_changed(std::size_t index) = 0;
  // To one that follows all: some member is not what it was.
  virtual void on_any_changed() = 0;
};

// Who follows what of the table. A change reaches those that follow its keys by one look-up for
// each key, and those that follow all; nobody else costs anything. Loop thread only.
class Subscriptions {
 public:
  // The subscriber must stay until unsubscribe(); once for each subscriber. Keys need not lead to
  // anybody.
  void subscribe(Subscriber& subscriber, std::span<const MemberKey> keys);
  void subscribe_to_all(Subscriber& subscriber);
  // From one of the two; harmless when there is none.
  void unsubscribe(Subscriber& subscriber);

  // For the table.
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
