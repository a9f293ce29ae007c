#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/expiry.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"
#include "rotator/engine.h"

// The records as the engine keeps them: what they become in time, what of them is published, and
// how they are found.

namespace rota {
namespace {

// By when a member that somebody asks for has to have a token, and how late one may be where tokens
// are replaced at their very end.
constexpr Duration kAskedIssueMax = std::chrono::seconds{10};
constexpr Duration kOverdueGrace{5'000};
// How exactly the last use is known, in memory and on record.
constexpr Duration kUseResolutionMax = std::chrono::minutes{1};
constexpr std::size_t kHousekeepingMax = 256;  // of one pass
constexpr int kUseResolutionsPerActiveTime = 60;
constexpr int kUseRecordsPerActiveTime = 24;
constexpr Duration kUseRecordDelay = std::chrono::seconds{10};

Duration use_resolution(const Policy& policy) {
  return std::min(kUseResolutionMax, policy.active_within / kUseResolutionsPerActiveTime);
}

}  // namespace

void Engine::housekeep_due(Now now) {
  // A clock that runs ahead at a start would throw live tokens away.
  if (!clock_.confirmed()) return;
  const WallTime circle = circle_now(now);
  // Those that left by one roster are all due at once some day. The rest has its turn at once.
  for (std::size_t kept = 0;
       kept < kHousekeepingMax && !housekeeping_.empty() && housekeeping_.begin()->first <= circle;
       ++kept) {
    MemberSlot& slot = slots_.at(housekeeping_.begin()->second);
    const MemberRecord& record = slot.record;
    if (slot.in_flight) {  // its reply plans it anew
      slot.housekeeping.reset();
      housekeeping_.erase(housekeeping_.begin());
      continue;
    }
    for (const Token& token : record.tokens) {
      if (token.status == TokenStatus::kRevoking && token.expires_at + kLedgerSlack <= circle) {
        note_revocation(slot, token, "expired", false);
        note(AuditEvent::kRevocationOver, &slot, std::string(name_of(token.kind)),
             token.fingerprint);
      }
    }
    const RecordChange over = housekeep(slot.record, policy_.revoke_superseded_after, circle);
    // A removed member's tokens outlive its retirement.
    if (!over.erased.empty() && !keeps_tokens(record.state)) scrub();
    record_change(slot, over);
    settle_if_nothing_alive(slot, now);
    if (record.state == MemberState::kRetired && record.tokens.empty() &&
        !named_by_roster(record) && record.state_since + kTombstoneLife <= circle) {
      forget(slot);
    } else {
      replan(slot, now);
    }
  }
}

void Engine::record_change(MemberSlot& slot, const RecordChange& change) {
  // Nothing is sent for a member that is out, so the mark may be raised again and again.
  if (!keeps_tokens(slot.record.state)) slot.revoked_before = journal_.next();
  if (change.empty()) return;
  auto& mutations = gathering_.mutations;
  if (change.row) {
    MemberRecord row = slot.record;
    row.tokens.clear();
    mutations.emplace_back(PutMember{std::move(row)});
  }
  for (const TokenId id : change.put) {
    const auto token = std::ranges::find(slot.record.tokens, id, &Token::id);
    if (token != slot.record.tokens.end()) {
      mutations.emplace_back(PutToken{.member = slot.record.id, .token = *token});
    }
  }
  for (const TokenId id : change.erased) mutations.emplace_back(EraseToken{id});
  take_place(slot);
  publish(slot);
}

bool Engine::keeps(const MemberSlot& slot) const {
  return slot.use_rank && upkeep_.keeps(*slot.use_rank);
}

bool Engine::first_issues_go_on(Now now) const {
  return now.boot - issues_go_on_at_ <= kFirstIssueMax;
}

bool Engine::idle_issues_go_on(Now now) const {
  const auto since = census_.first_idle_due();
  return since && clock_.at(issues_go_on_at_) >= *since && first_issues_go_on(now);
}

bool Engine::in_use(const MemberSlot& slot, WallTime circle) const {
  return slot.record.last_used + policy_.active_within > circle;
}

// Its place in the order of use, and in the census.
void Engine::take_place(MemberSlot& slot) {
  const MemberRecord& record = slot.record;
  const bool active = record.state == MemberState::kActive;
  if (!active) dead_arrivals_.forget(record.id);
  if (active) {
    upkeep_.put(record.id, record.last_used, slot.use_rank);
  } else {
    upkeep_.remove(slot.use_rank);
  }
  const Token* access = active ? current(record, TokenKind::kAccess) : nullptr;
  // One that got a dead token has been served already: without a live one it is overdue at once,
  // in use or not.
  const bool dead = active && slot.attempts.dead_on_arrival;
  Census::Entry entry{.state = record.state,
                      .revoking = static_cast<std::size_t>(std::ranges::count(
                          record.tokens, TokenStatus::kRevoking, &Token::status)),
                      .served_until = std::nullopt,
                      .due = record.state_since + kFirstIssueMax,
                      .kept = active && keeps(slot),
                      .in_use = in_use(slot, clock_.at(pumped_at_)) || dead};
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

// Who came in, or fell out, by the use of others.
void Engine::replan_moved(Now now) {
  for (const MemberId member : upkeep_.take_moved()) {
    const auto it = slots_.find(member);
    if (it == slots_.end()) continue;
    take_place(it->second);
    replan(it->second, now);
  }
}

void Engine::note_use(MemberSlot& slot, Now now) {
  const WallTime circle = circle_now(now);
  MemberRecord& record = slot.record;
  if (circle - record.last_used < use_resolution(policy_)) return;
  const bool was_in_use = in_use(slot, circle);
  record.last_used = circle;
  if (!was_in_use) slot.in_use_since = circle;
  take_place(slot);
  if (!was_in_use) replan(slot, now);
  if (circle - slot.use_on_record < policy_.active_within / kUseRecordsPerActiveTime) return;
  want_use_recorded(slot, now);
}

void Engine::want_use_recorded(const MemberSlot& slot, Now now) {
  if (unrecorded_uses_.empty()) {
    record_uses_at_ = stopping_ ? now.boot : now.boot + kUseRecordDelay;
  }
  unrecorded_uses_.insert(slot.record.id);
}

// Uses go along with the next batch, or alone after a while: no token waits for them.
void Engine::record_uses(Now now) {
  if (unrecorded_uses_.empty()) return;
  if (gathering_.mutations.empty() && now.boot < record_uses_at_) return;
  for (const MemberId member : std::exchange(unrecorded_uses_, {})) {
    MemberSlot& slot = slots_.at(member);
    slot.use_on_record = slot.record.last_used;
    gathering_.mutations.emplace_back(PutUse{.member = member, .at = slot.record.last_used});
  }
}

void Engine::on_used(std::span<const MemberId> members, Now now, Commands& out) {
  for (const MemberId member : members) {
    if (MemberSlot* const slot = find_shown(member)) note_use(*slot, now);
  }
  pump(now, out);
}

bool Engine::is_known_as(std::int64_t circle_id, MemberId member) const {
  const auto known = by_circle_id_.find(circle_id);
  return known != by_circle_id_.end() && known->second == member;
}

void Engine::publish(const MemberSlot& slot) {
  const MemberRecord& record = slot.record;
  Published row{.member = record.id,
                .state = record.state,
                .keys = {},
                .tags = tags_of(record),
                .access_token = nullptr,
                .body = nullptr,
                .issued_at = {},
                .expires_at = {}};
  for (const Selector& selector : record.selectors) {
    const bool leads_here = !key_shared_ || find(selector.key.canonical_text()) == &slot;
    if (leads_here) row.keys.push_back(selector.key);
  }
  if (record.community_member_id && is_known_as(*record.community_member_id, record.id)) {
    const auto id = MemberKey::from_id(*record.community_member_id);
    if (id && std::ranges::find(row.keys, *id) == row.keys.end()) row.keys.push_back(*id);
  }
  if (row.keys.empty()) row.keys.push_back(primary_key(record));
  const Token* access = current(record, TokenKind::kAccess);
  if (record.state == MemberState::kActive && access != nullptr && !has_unresolved_name(record)) {
    row.access_token = access->value;
    row.body = make_token_body(*access, record.community_member_id.value_or(0),
                               record.community_id.value_or(0));
    row.fingerprint = access->fingerprint;
    row.issued_at = access->issued_at;
    row.expires_at = access->expires_at;
  }
  gathering_.then.emplace_back(command::Publish{std::move(row)});
}

// A mismatched member's ledger has tokens that came under its name and are another member's. Where
// that one has a record they are on it too, and not this one's to revoke.
void Engine::release_shared(MemberSlot& slot) {
  if (slot.record.state != MemberState::kMismatched || slot.record.tokens.empty()) return;
  std::set<Fingerprint> own;
  for (const Token& token : slot.record.tokens) own.insert(token.fingerprint);
  std::set<Fingerprint> elsewhere;
  for (const auto& [member, other] : slots_) {
    if (member == slot.record.id) continue;
    for (const Token& token : other.record.tokens) {
      if (own.contains(token.fingerprint)) elsewhere.insert(token.fingerprint);
    }
  }
  RecordChange change;
  std::erase_if(slot.record.tokens, [&](const Token& token) {
    const bool shared = elsewhere.contains(token.fingerprint);
    if (shared) change.erased.push_back(token.id);
    return shared;
  });
  record_change(slot, change);
}

// A leaver of whom nothing is alive any more is retired; whoever waited for that is told.
void Engine::scrub() {
  if (!std::exchange(gathering_.scrubs, true)) gathering_.mutations.emplace_back(Scrub{});
}

void Engine::settle_if_nothing_alive(MemberSlot& slot, Now now) {
  const auto is_gone = [](const Token& t) { return t.status == TokenStatus::kMemberGone; };
  if (slot.in_flight || !std::ranges::all_of(slot.record.tokens, is_gone)) return;
  const RecordChange change = enter(slot.record, LifecycleEvent::kNothingAlive, circle_now(now));
  // A leaver's tokens are erased for good. The log is cut once a batch, however many they are.
  const bool leaves = !change.empty() || !slot.operations.empty();
  if (leaves) scrub();
  record_change(slot, change);
  finish_operations(slot, now);
}

void Engine::tell(Severity severity, std::string event, const MemberSlot* slot, std::string text) {
  gathering_.then.emplace_back(
      command::Tell{{.severity = severity,
                     .event = std::move(event),
                     .member = slot ? primary_key(slot->record).text() : std::string{},
                     .text = std::move(text)}});
}

// On the audit trail, once what it tells of is durable.
void Engine::note(AuditEvent event, const MemberSlot* slot, std::string detail, Fingerprint token) {
  gathering_.then.emplace_back(
      command::Note{.key = {.event = event,
                            .member = slot ? slot->record.id : MemberId{},
                            .token = token,
                            .detail = std::move(detail)},
                    .member = slot ? primary_key(slot->record).text() : std::string{}});
}

MemberSlot& Engine::add_slot(MemberRecord record) {
  const MemberId member = record.id;
  MemberSlot& slot = slots_.emplace(member, MemberSlot{}).first->second;
  slot.record = std::move(record);
  index(slot);
  return slot;
}

void Engine::index(MemberSlot& slot) {
  const MemberRecord& record = slot.record;
  for (const Selector& selector : record.selectors) {
    const auto [place, is_new] = by_key_.try_emplace(selector.key.canonical_text(), record.id);
    if (is_new || place->second == record.id) continue;
    const Selector* other = selector_of(place->second, selector.key);
    key_shared_ = key_shared_ || other != nullptr;
    if (other != nullptr && namesakes_) namesakes_->emplace_back(place->second, record.id);
    // Not from one that the roster names by it to one that it does not.
    if (other == nullptr || selector.in_roster || !other->in_roster) place->second = record.id;
  }
  if (record.community_member_id) {
    // A name that led elsewhere once is a record of its own, of the same pin and a later id.
    const auto [known, added] = by_circle_id_.emplace(*record.community_member_id, record.id);
    if (!added) known->second = std::min(known->second, record.id);
    // The roster may name that id for another record, until Circle says that both are one.
    by_key_.emplace(fmt::format("id:{}", *record.community_member_id), record.id);
  }
}

const Selector* Engine::selector_of(MemberId member, const MemberKey& key) const {
  const MemberSlot* slot = find(member);
  if (slot == nullptr) return nullptr;
  const auto own = std::ranges::find(slot->record.selectors, key, &Selector::key);
  return own == slot->record.selectors.end() ? nullptr : &*own;
}

void Engine::forget(MemberSlot& slot) {
  const MemberId member = slot.record.id;
  unqueue(slot);
  upkeep_.remove(slot.use_rank);
  census_.remove(member, slot.counted);
  failing_.erase(member);
  dead_arrivals_.forget(member);
  unrecorded_uses_.erase(member);
  drop_from_index(slot);
  gathering_.mutations.emplace_back(ForgetMember{member});
  gathering_.then.emplace_back(command::Withdraw{member});
  slots_.erase(member);
}

void Engine::drop_from_index(const MemberSlot& slot) {
  const MemberId member = slot.record.id;
  const auto drop = [member](auto& map, const auto& key) {
    const auto it = map.find(key);
    if (it != map.end() && it->second == member) map.erase(it);
  };
  for (const Selector& selector : slot.record.selectors)
    drop(by_key_, selector.key.canonical_text());
  if (slot.record.community_member_id) {
    drop(by_circle_id_, *slot.record.community_member_id);
    drop(by_key_, fmt::format("id:{}", *slot.record.community_member_id));
  }
}

const MemberSlot* Engine::find(MemberId member) const {
  const auto it = slots_.find(member);
  return it == slots_.end() ? nullptr : &it->second;
}

const MemberSlot* Engine::find(std::string_view key) const {
  const auto it = by_key_.find(canonical_key_text(key));
  return it == by_key_.end() ? nullptr : find(it->second);
}

}  // namespace rota
