#include "engine/members.h"

#include <algorithm>
#include <compare>
#include <cstdint>

#include "base/check.h"
#include "model/expiry.h"
#include "plan/lifecycle.h"
#include "plan/next_action.h"

namespace rota {
namespace {

// By when a member that somebody asks for has to have a token, and how late one may be where tokens
// are replaced at their very end.
constexpr Duration kAskedIssueMax = std::chrono::seconds{10};
constexpr Duration kOverdueGrace{5'000};
// How exactly the last use is known, in memory and on record.
constexpr Duration kUseResolutionMax = std::chrono::minutes{1};
constexpr int kUseResolutionsPerActiveTime = 60;
constexpr int kUseRecordsPerActiveTime = 24;

}  // namespace

bool Members::ListOrder::operator()(const Named& a, const Named& b) const {
  const SelectorKind kind = a.key->kind;
  return kind == b.key->kind ? std::is_lt(*a.key <=> *b.key)
                             : prefix_of(kind) < prefix_of(b.key->kind);
}

Members::Members(MemberId next, Duration active_within)
    : next_(static_cast<std::int64_t>(next)), active_within_(active_within) {}

MemberSlot& Members::add(MemberRecord record) {
  const MemberId member = record.id;
  MemberSlot& slot = slots_.emplace(member, MemberSlot{}).first->second;
  slot.record = std::move(record);
  index(slot);
  return slot;
}

void Members::remove(MemberSlot& slot) {
  const MemberId member = slot.record.id;
  upkeep_.remove(member, slot.ranked_use);
  census_.remove(member, slot.counted);
  failing_.erase(member);
  unrecorded_uses_.erase(member);
  unindex(slot);
  slots_.erase(member);
}

MemberSlot* Members::find(MemberId member) {
  const auto it = slots_.find(member);
  return it == slots_.end() ? nullptr : &it->second;
}

const MemberSlot* Members::find(MemberId member) const {
  const auto it = slots_.find(member);
  return it == slots_.end() ? nullptr : &it->second;
}

MemberSlot* Members::find(const MemberKey& key) { return find(named_by(key)); }

const MemberSlot* Members::find(const MemberKey& key) const { return find(named_by(key)); }

MemberSlot* Members::find_pinned(std::int64_t circle_id) { return find(pinned_to(circle_id)); }

bool Members::is_pinned_to(std::int64_t circle_id, MemberId member) const {
  return pinned_to(circle_id) == member;
}

// Zero: nobody, as of pinned_to().
MemberId Members::named_by(const MemberKey& key) const {
  const auto place = by_key_.find({.key = &key});
  if (place != by_key_.end()) return place->member;
  return key.kind == SelectorKind::kCommunityMemberId ? pinned_to(key.id()) : MemberId{};
}

MemberId Members::pinned_to(std::int64_t circle_id) const {
  const auto first = by_circle_id_.lower_bound({circle_id, MemberId{}});
  return first != by_circle_id_.end() && first->first == circle_id ? first->second : MemberId{};
}

const Selector* Members::selector_of(MemberId member, const MemberKey& key) const {
  const MemberSlot* slot = find(member);
  if (slot == nullptr) return nullptr;
  const auto own = std::ranges::find(slot->record.selectors, key, &Selector::key);
  return own == slot->record.selectors.end() ? nullptr : &*own;
}

void Members::index(const MemberSlot& slot) {
  const MemberRecord& record = slot.record;
  for (const Selector& selector : record.selectors) {
    const Named own{.key = &selector.key, .member = record.id};
    if (by_key_.insert(own)) continue;
    const MemberId before = by_key_.find(own)->member;
    if (before == record.id) continue;
    const Selector* const other = selector_of(before, selector.key);
    ROTA_CHECK(other != nullptr);
    key_shared_ = true;
    if (namesakes_) namesakes_->emplace_back(before, record.id);
    // Of two records that have this key, the key leads to the later one, unless only the earlier
    // one is named by it in the roster.
    if (selector.in_roster || !other->in_roster) {
      by_key_.erase(own);
      by_key_.insert(own);
    }
  }
  // A name that led elsewhere once is a record of its own, of the same pin and a later id. The
  // roster may name that id for another record, until Circle says that both are one.
  if (record.community_member_id) by_circle_id_.insert({*record.community_member_id, record.id});
}

void Members::unindex(const MemberSlot& slot) {
  const MemberId member = slot.record.id;
  for (const Selector& selector : slot.record.selectors) {
    const Named own{.key = &selector.key, .member = member};
    const auto place = by_key_.find(own);
    if (place != by_key_.end() && place->member == member) by_key_.erase(own);
  }
  if (slot.record.community_member_id) {
    by_circle_id_.erase({*slot.record.community_member_id, member});
  }
}

bool Members::leads_to(const MemberKey& key, const MemberSlot& slot) const {
  return !key_shared_ || find(key) == &slot;
}

std::vector<std::pair<MemberId, MemberId>> Members::take_namesakes() {
  return std::exchange(namesakes_, std::nullopt).value();
}

bool Members::in_use(const MemberSlot& slot, WallTime circle) const {
  return slot.record.last_used + active_within_ > circle;
}

bool Members::keeps(const MemberSlot& slot) const {
  return slot.ranked_use &&
         upkeep_.keeps({.last_used = *slot.ranked_use, .member = slot.record.id});
}

Members::Use Members::note_use(MemberSlot& slot, WallTime circle) {
  const Duration resolution =
      std::min(kUseResolutionMax, active_within_ / kUseResolutionsPerActiveTime);
  MemberRecord& record = slot.record;
  if (circle - record.last_used < resolution) return Use::kNothingNew;
  slot.leaves_at.reset();
  const bool was_in_use = in_use(slot, circle);
  record.last_used = circle;
  if (was_in_use) return Use::kUsedAgain;
  slot.in_use_since = circle;
  return Use::kCameIntoUse;
}

bool Members::use_wants_record(const MemberSlot& slot) const {
  return slot.record.last_used - slot.use_on_record >= active_within_ / kUseRecordsPerActiveTime;
}

void Members::recount(MemberSlot& slot, WallTime circle) {
  const MemberRecord& record = slot.record;
  const bool active = record.state == MemberState::kActive;
  if (active) {
    upkeep_.put(record.id, record.last_used, slot.ranked_use);
  } else {
    upkeep_.remove(record.id, slot.ranked_use);
  }
  const Token* access = active ? current(record, TokenKind::kAccess) : nullptr;
  // One that got a dead token has been served already: without a live one it is overdue at once,
  // in use or not.
  const bool dead = active && slot.attempts.dead_on_arrival;
  Census::Entry entry{.state = record.state,
                      // Nobody needs a token of one that signed out until somebody asks for it.
                      .kept = active && keeps(slot) && record.signed_out_at == WallTime{},
                      .in_use = in_use(slot, circle) || dead,
                      .only_enrolled = only_enrolled(record),
                      .named_by_roster = named_by_roster(record),
                      .revoking = static_cast<std::uint32_t>(std::ranges::count(
                          record.tokens, TokenStatus::kRevoking, &Token::status)),
                      .served_until = std::nullopt,
                      .due = record.state_since + kFirstIssueMax};
  if (access != nullptr) {
    entry.served_until = access->expires_at - kExpiryMargin;
    entry.due = access->expires_at + kOverdueGrace;
  }
  if (entry.in_use) {
    const WallTime asked = std::max(slot.in_use_since, record.state_since) + kAskedIssueMax;
    entry.due = access == nullptr ? asked : std::max(entry.due, asked);
  }
  if (dead) entry.due = access == nullptr ? record.state_since : access->expires_at;
  census_.put(record.id, slot.counted, entry);
}

}  // namespace rota
