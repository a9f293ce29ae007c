#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/chunked_set.h"
#include "base/time.h"
#include "engine/census.h"
#include "engine/member_slot.h"
#include "engine/upkeep.h"
#include "model/member_key.h"
#include "model/record.h"

namespace rota {

// A new member that no client asks for has its first token after this time. If many came at once,
// one of them gets its first token at least this often.
inline constexpr Duration kFirstIssueMax = std::chrono::minutes{5};

// Every member on record: found by id, by key and by Circle's id, ranked by its last use, and
// counted. The address of a slot is stable until remove().
//
// It changes no record and decides no state. The caller keeps the indexes right: before it changes
// a record's selectors or Circle id it calls unindex(), and index() afterwards. The index refers to
// the keys of the selectors, so this goes for a new selector, too, which moves the others. After it
// changed the state, the tokens or the last use it calls recount(). Times are on Circle's clock.
// Pure, and single-threaded: the engine owns it.
class Members {
 public:
  // A key of a selector, and the member that it leads to. The key is that member's own.
  struct Named {
    const MemberKey* key = nullptr;
    MemberId member{};
  };
  // The order in which people see lists: by the key's text, with numbers by their value.
  struct ListOrder {
    bool operator()(const Named& a, const Named& b) const;
  };
  using ByKey = ChunkedSet<Named, ListOrder>;

  // `active_within`: how long after its last use a member counts as in use.
  Members(MemberId next, Duration active_within);

  // --- Who is there ---

  MemberId next_id() { return MemberId{next_++}; }
  // All ids ever given out are smaller.
  MemberId end_id() const { return MemberId{next_}; }
  // Takes the member in and indexes it. Its id must be new.
  MemberSlot& add(MemberRecord record);
  // Takes the member out; the slot is gone. Schedule::remove() comes first. A key that it shared
  // with another record leads to no member until the other one is indexed again.
  void remove(MemberSlot& slot);

  // The member must exist.
  MemberSlot& at(MemberId member) { return slots_.at(member); }
  const MemberSlot& at(MemberId member) const { return slots_.at(member); }
  // By a key: of a selector or, if no selector has it, Circle's id of a member. Null: there is
  // none.
  MemberSlot* find(MemberId member);
  const MemberSlot* find(MemberId member) const;
  MemberSlot* find(const MemberKey& key);
  const MemberSlot* find(const MemberKey& key) const;
  // The member that is pinned to this Circle id (P13), that with the lowest id if there are
  // several; null: there is none.
  MemberSlot* find_pinned(std::int64_t circle_id);
  bool is_pinned_to(std::int64_t circle_id, MemberId member) const;
  // The selector of this member that equals `key`, or null.
  const Selector* selector_of(MemberId member, const MemberKey& key) const;

  std::unordered_map<MemberId, MemberSlot>& all() { return slots_; }
  const std::unordered_map<MemberId, MemberSlot>& all() const { return slots_; }
  // Every key of a selector that leads to a member, in the order of lists.
  const ByKey& by_key() const { return by_key_; }
  std::size_t size() const { return slots_.size(); }

  // If two records share a key, it leads to the one that the roster names by it. Indexing a slot
  // again changes nothing.
  void index(const MemberSlot& slot);
  void unindex(const MemberSlot& slot);
  // Whether `key`, one of the slot's own, leads to this slot and not to another that shares it.
  bool leads_to(const MemberKey& key, const MemberSlot& slot) const;
  // The pairs of records that had a key in common when they were loaded. An old database has some:
  // it did not compare keys in their canonical form. To be called once, after all members are
  // loaded.
  std::vector<std::pair<MemberId, MemberId>> take_namesakes();

  // --- Their use ---

  bool in_use(const MemberSlot& slot, WallTime circle) const;
  // Whether the budget has room to keep it fresh ahead of time.
  bool keeps(const MemberSlot& slot) const;
  enum class Use { kNothingNew, kUsedAgain, kCameIntoUse };
  // A client asked for the member's token. kNothingNew: one did so a moment ago. Otherwise call
  // recount().
  Use note_use(MemberSlot& slot, WallTime circle);
  // Whether the last use on record is so old that the new one has to be stored.
  bool use_wants_record(const MemberSlot& slot) const;
  // How many members the budget can keep fresh.
  void set_capacity(std::size_t members) { upkeep_.set_capacity(members); }
  // Members that others pushed into or out of those kept fresh: call recount() and plan them again.
  std::vector<MemberId> take_moved() { return upkeep_.take_moved(); }
  const Upkeep& upkeep() const { return upkeep_; }

  // Brings the ranking by use and the counts up to date with the record.
  void recount(MemberSlot& slot, WallTime circle);
  // For when Circle's time has moved: forgets what is counted of the member, so that the next
  // recount() counts what a later time had ended.
  void forget_count(MemberSlot& slot) { census_.remove(slot.record.id, slot.counted); }
  // Not const: asking it drops what time has ended.
  Census& census() { return census_; }
  const Census& census() const { return census_; }

  // --- Those with a backoff ---

  void mark_failing(MemberId member) { failing_.insert(member); }
  const std::set<MemberId>& failing() const { return failing_; }
  std::set<MemberId> take_failing() { return std::exchange(failing_, {}); }

  // --- Uses to be put on record ---

  void want_use_recorded(MemberId member) { unrecorded_uses_.insert(member); }
  bool has_unrecorded_uses() const { return !unrecorded_uses_.empty(); }
  std::set<MemberId> take_unrecorded_uses() { return std::exchange(unrecorded_uses_, {}); }

 private:
  MemberId named_by(const MemberKey& key) const;
  MemberId pinned_to(std::int64_t circle_id) const;

  std::int64_t next_;
  const Duration active_within_;
  std::unordered_map<MemberId, MemberSlot> slots_;
  ByKey by_key_;
  bool key_shared_ = false;  // two records had one key, and perhaps still have
  std::optional<std::vector<std::pair<MemberId, MemberId>>> namesakes_{std::in_place};
  ChunkedSet<std::pair<std::int64_t, MemberId>> by_circle_id_;
  Upkeep upkeep_;
  Census census_;
  std::set<MemberId> failing_;
  std::set<MemberId> unrecorded_uses_;
};

}  // namespace rota
