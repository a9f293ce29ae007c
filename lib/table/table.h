#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/chunked_set.h"
#include "base/fingerprint.h"
#include "base/secret.h"
#include "base/sharded_map.h"
#include "base/slim_vector.h"
#include "base/time.h"
#include "model/record.h"
#include "table/subscriptions.h"

namespace rota {

// What clients may be told and given of one member: a copy of what is durable in the store (P2).
struct Published {
  MemberId member{};
  MemberState state = MemberState::kActive;
  bool named_by_roster = true;     // false: only clients have enrolled it
  mutable bool use_noted = false;  // a fetch was noted, and the engine was not told yet
  std::uint32_t place = 0;         // set by the table, for its own use
  SlimVector<MemberKey> keys;      // every key that leads to it, including its Circle id; not empty
  SlimVector<std::string> tags;
  LoginEpoch login_epoch{};  // of the record, as are the next
  SlimVector<HandleCount> handles{};
  SecretPtr access_token;       // null if there is none
  SecretPtr escaped_token;      // how it stands inside a JSON string; null if that is the same
  Fingerprint fingerprint = 0;  // of access_token
  WallTime issued_at;           // Circle's clock
  WallTime expires_at;          // Circle's clock
  std::int64_t community_member_id = 0;  // as Circle has said; 0: it has not, or took it back
  std::int64_t community_id = 0;
  std::uint64_t change = 0;     // set by the table: a later change of any member has a larger one
  std::uint32_t sign_outs = 0;  // set by the table: how often login_epoch has changed here

  // Leaves the row without a token. If `only` is given and the row has another one, it keeps that.
  void drop_token(std::optional<Fingerprint> only = {});
  // Drops the tags that are not among these, which are sorted. Whether there was one.
  bool drop_tags_but(const std::vector<std::string>& kept);
};

// The tokens that may be served. Only what is durable is published. Loop thread only. A pointer to
// a row stays valid until the next publish() or forget() of its member.
class Table {
 public:
  // Replaces all that was published for this member. A key leads to the member that was last
  // published with it. `row` must have a key.
  void publish(Published row);
  // The member's token is served no more, if it is the one named, or if none is named. Does nothing
  // if the member is not there.
  void unserve(MemberId member, std::optional<Fingerprint> only = {});
  // Of the member's tags only these are shown any more. They are sorted. Does nothing if the member
  // is not there.
  void keep_tags(MemberId member, const std::vector<std::string>& tags);
  // Takes the member out. Does nothing if it is not there.
  void forget(MemberId member);

  // Null if nothing is published by that name, or if the text is not a key.
  const Published* find(const MemberKey& key) const;
  const Published* find(std::string_view key) const;  // in its prefixed form, "id:42"
  const Published* find(MemberId member) const;

  // For a caller that may not learn whether there is such a member: the look-up does the same work
  // in both cases, so that its time tells nothing. `row` is as of find(). `examined`, never null,
  // is for the checks that follow: the row itself or, if the name leads to nobody, another member's
  // row, the same one for each name while no member comes or goes.
  struct Lookup {
    const Published* row = nullptr;
    const Published* examined = nullptr;
  };
  Lookup look_up(const MemberKey& key) const;
  std::size_t size() const { return rows_.size(); }

  // The first member whose last change comes after change number `after` (0: any); null if there is
  // none. Going on with each row's `change` meets every member in its latest form, even if it
  // changes meanwhile. A change is one of state, token, expiry, keys, tags or login epoch.
  const Published* next_changed(std::uint64_t after) const;
  // Subscribers are told of the same changes. If a member is forgotten, only those are told that
  // follow one of its keys.
  Subscriptions& subscriptions() { return subscriptions_; }

 private:
  void drop_keys(const Published& row);
  void tell_changed(const Published& row) const;

  // A key of a row: the index has no keys of its own.
  struct KeyOfRow {
    const MemberKey* key;
    bool operator==(const KeyOfRow& other) const { return *key == *other.key; }
    struct Hash {
      std::size_t operator()(KeyOfRow own) const { return std::hash<MemberKey>{}(*own.key); }
    };
  };

  ShardedMap<MemberId, Published> rows_;
  // Without a node for each key, which would take 40 bytes more.
  using KeyShard = boost::unordered_flat_map<KeyOfRow, const Published*, KeyOfRow::Hash>;
  ShardedMap<KeyOfRow, const Published*, KeyOfRow::Hash, KeyShard> by_key_;
  std::vector<const Published*> in_places_;  // by Published::place
  ChunkedSet<std::pair<std::uint64_t, const Published*>> by_change_;
  std::uint64_t last_change_ = 0;
  Subscriptions subscriptions_;
};

// For Published::escaped_token: null if JSON escapes no byte of the token, as of every JWT.
SecretPtr escaped_for_json(const Secret& token);

}  // namespace rota
