#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fingerprint.h"
#include "base/secret.h"
#include "base/sharded_map.h"
#include "base/time.h"
#include "model/record.h"
#include "table/subscriptions.h"

namespace rota {

// What may be said and served of one member: a copy of what the store holds durably (P2).
struct Published {
  MemberId member{};
  MemberState state = MemberState::kActive;
  std::vector<MemberKey> keys;  // every selector known for it, its Circle id included
  std::vector<std::string> tags;
  SecretPtr access_token;          // null: there is none
  SecretPtr body;                  // the 200 reply's JSON, ready made; null when there is no token
  Fingerprint fingerprint = 0;     // of access_token
  WallTime issued_at;              // Circle's clock
  WallTime expires_at;             // Circle's clock
  mutable bool use_noted = false;  // a fetch of it was noted, and not passed on yet
  std::uint64_t change = 0;        // the table's: a later change of any member has a larger number
  std::size_t place = 0;           // the table's
};

// The tokens that may be served. Loop thread only; pointers stay valid until the next publish() or
// forget() of that member.
class Table {
 public:
  // Replaces all that was published for this member. A key goes to the last member published with
  // it.
  void publish(Published row);
  void forget(MemberId member);

  // Null: nothing of that name.
  const Published* find(const MemberKey& key) const;
  const Published* find(std::string_view key) const;  // in its prefixed form, "id:42"
  const Published* find(MemberId member) const;

  // For whoever may not be told whether there is such a member: `row` as find(), and `examined` to
  // be looked through in either case. It is the row itself or, for a name that leads to nobody,
  // some member that the name picks, the same each time. The work is the same in both cases, so
  // that its time does not tell them apart.
  struct Lookup {
    const Published* row = nullptr;
    const Published* examined = nullptr;
  };
  Lookup look_up(const MemberKey& key) const;
  std::size_t size() const { return rows_.size(); }

  // The member that changed first after this change, that is 0 for the first of all; null when none
  // has. Going on from one to the next meets every member once, in its latest form, however often
  // it changes meanwhile. A change is of state, token, keys or tags.
  const Published* next_changed(std::uint64_t after) const;
  // Told of the same changes, and of members that are forgotten.
  Subscriptions& subscriptions() { return subscriptions_; }

 private:
  void drop_keys(const Published& row);
  void tell_changed(const Published& row) const;

  ShardedMap<MemberId, Published> rows_;
  ShardedMap<MemberKey, const Published*> by_key_;
  std::vector<const Published*> in_places_;  // by Published::place
  std::map<std::uint64_t, const Published*> by_change_;
  std::uint64_t last_change_ = 0;
  Subscriptions subscriptions_;
};

// The JSON of a 200 reply to GET /v1/token, field order as documented.
SecretPtr make_token_body(const Token& access, std::int64_t community_member_id,
                          std::int64_t community_id);

}  // namespace rota
