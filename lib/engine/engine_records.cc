#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/engine.h"
#include "model/expiry.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"
#include "plan/servable.h"

// The records in the engine: what time does to them, what is published of them, and how they are
// found.

namespace rota {
namespace {

constexpr std::size_t kHousekeepingMax = 64;  // of one pass
// Rows that are erased together share the pages that this writes anew.
constexpr Duration kHousekeepingGap = std::chrono::seconds{1};
constexpr Duration kUseRecordDelay = std::chrono::seconds{10};
constexpr Duration kUseTellingMax = std::chrono::seconds{2};  // until on_used() tells of a use

}  // namespace

void Engine::housekeep_due(Now now) {
  // A clock that runs ahead at the start would throw away live tokens.
  if (!clock().confirmed() || now.boot < housekeep_at_) return;
  const WallTime circle = circle_now(now);
  // Members that left with one roster are all due at the same time. Those beyond the limit get
  // their turn in the next pass, which follows at once.
  bool erased = false;
  for (std::size_t kept = 0; kept < kHousekeepingMax; ++kept) {
    const auto due = schedule_.first_housekeeping();
    if (!due || due->at > circle) {
      if (erased) housekeep_at_ = now.boot + kHousekeepingGap;
      return;
    }
    MemberSlot& slot = members_.at(due->member);
    const MemberRecord& record = slot.record;
    if (slot.in_flight) {  // its reply will plan it again
      schedule_.end_housekeeping(due->member, slot.places);
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
    // Tokens of a removed member can outlive its retirement.
    if (!over.erased.empty() && !keeps_tokens(record.state)) outbox_.scrub();
    erased = erased || !over.erased.empty();
    put_on_record(slot, over);
    settle_if_nothing_alive(slot, now);
    if (forget_if_over(slot, now)) continue;
    if (!leave_if_idle(slot, now)) replan(slot, now);
  }
}

// An enrolled member that nobody asks for leaves, when it is its turn.
bool Engine::leave_if_idle(MemberSlot& slot, Now now) {
  const auto idle = idle_due(slot.record, policy_.enrolment);
  if (!idle || *idle > circle_now(now)) return false;
  if (!slot.leaves_at) {
    slot.leaves_at = removals_.next_idle_leave(members_.census().only_enrolled(), now.boot);
  }
  if (*slot.leaves_at > now.boot) return false;
  slot.leaves_at.reset();
  tell(Severity::kInfo, "idle", &slot, "no client has asked for it for a long time: it leaves");
  end_enrolments(slot.record);
  follow_wanted(slot, now);
  return true;
}

// A leaver of which nothing is left. If a call may still bring something, it is looked at again
// later.
bool Engine::forget_if_over(MemberSlot& slot, Now now) {
  constexpr Duration kLookAgain = std::chrono::minutes{1};
  const auto due = forget_due(slot.record);
  if (!due || *due > circle_now(now)) return false;
  journal_.sweep(times(now), clock().confirmed(), outbox_.changes());
  if (journal_.doubts_of(slot.record.id) > 0 || !slot.operations.empty() || !slot.waiters.empty()) {
    slot.leaves_at = now.boot + kLookAgain;
    return false;
  }
  forget(slot);
  return true;
}

void Engine::record_change(MemberSlot& slot, const RecordChange& change) {
  put_on_record(slot, change);
  if (!change.empty()) publish(slot);
}

// For a change that shows nothing else than before: no token that is served, no key, no state.
void Engine::put_on_record(MemberSlot& slot, const RecordChange& change) {
  if (!keeps_tokens(slot.record.state)) {
    // No call that brings tokens is sent for a member that is out, so raising the mark again does
    // no harm.
    slot.revoked_before = journal_.next();
    if (slot.in_flight) gate_.recall(*slot.in_flight);
  }
  end_rotations(slot);
  if (change.empty()) return;
  if (change.ends_logins) slot.record.login_epoch = draw_login_epoch();
  if (change.row) {
    MemberRecord row = slot.record;
    row.tokens.clear();
    outbox_.change(PutMember{std::move(row)});
  }
  for (const TokenId id : change.put) {
    const auto token = std::ranges::find(slot.record.tokens, id, &Token::id);
    if (token == slot.record.tokens.end()) continue;
    outbox_.change(PutToken{.member = slot.record.id, .token = *token});
    if (token->kind == TokenKind::kRefresh && token->value != nullptr) {
      outbox_.rest_when_durable(slot.record.id, id);
    }
  }
  for (const TokenId id : change.erased) outbox_.change(EraseToken{id});
  recount(slot);
}

bool Engine::first_issues_go_on(Now now) const {
  return now.boot - issues_go_on_at_ <= kFirstIssueMax;
}

bool Engine::idle_issues_go_on(Now now) const {
  const auto since = members_.census().first_idle_due();
  return since && clock().at(issues_go_on_at_) >= *since && first_issues_go_on(now);
}

// Brings the member's place in the order of use, and the counts, up to date.
void Engine::recount(MemberSlot& slot) {
  if (slot.record.state != MemberState::kActive) gate_.forget_arrival(slot.record.id);
  members_.recount(slot, clock().at(pumped_at_));
}

void Engine::count_who_fits() {
  const std::size_t all = gate_.budget().background_limit();
  // Of a share, too, a tenth is for others than background calls.
  const std::size_t own = share_ ? *share_ * all / gate_.budget().limit() : all;
  members_.set_capacity(members_that_fit(std::min(all, own), policy_, facts()));
}

// Plans again the members that the use of others moved in or out.
void Engine::replan_moved(Now now) {
  for (const MemberId member : members_.take_moved()) {
    MemberSlot* const slot = members_.find(member);
    if (slot == nullptr) continue;
    recount(*slot);
    replan(*slot, now);
  }
}

void Engine::note_use(MemberSlot& slot, Now now) {
  switch (members_.note_use(slot, circle_now(now))) {
    case Members::Use::kNothingNew:
      return;
    case Members::Use::kUsedAgain:
      recount(slot);
      break;
    case Members::Use::kCameIntoUse:
      recount(slot);
      replan(slot, now);
      break;
  }
  if (members_.use_wants_record(slot)) want_use_recorded(slot, now);
}

void Engine::want_use_recorded(const MemberSlot& slot, Now now) {
  if (!members_.has_unrecorded_uses()) {
    record_uses_at_ = stopping_ ? now.boot : now.boot + kUseRecordDelay;
  }
  members_.want_use_recorded(slot.record.id);
}

// Uses are stored with the next batch, or on their own after a while. No token waits for them.
void Engine::record_uses(Now now) {
  if (!outbox_.has_changes() && now.boot < record_uses_at_) return;
  for (const MemberId member : members_.take_unrecorded_uses()) {
    MemberSlot& slot = members_.at(member);
    slot.use_on_record = slot.record.last_used;
    outbox_.change(PutUse{.member = member, .at = slot.record.last_used});
  }
}

void Engine::on_used(std::span<const MemberId> members, Now now, Commands& out) {
  for (const MemberId member : members) {
    MemberSlot* const slot = find_shown(member);
    if (slot == nullptr) continue;
    // It may have been used before it signed out.
    const bool was_before =
        (slot->signed_out_at && now.boot - *slot->signed_out_at <= kUseTellingMax) ||
        circle_now(now) <= slot->attempts.no_rotation_before + kUseTellingMax;
    if (!was_before) {
      end_sign_out(*slot);
      replan(*slot, now);
    }
    note_use(*slot, now);
  }
  pump(now, out);
}

void Engine::publish(const MemberSlot& slot) {
  const MemberRecord& record = slot.record;
  Published row{.member = record.id,
                .state = record.state,
                .named_by_roster = named_by_roster(record),
                .keys = {},
                .tags = tags_of(record),
                .login_epoch = record.login_epoch,
                .handles = record.handles,
                .access_token = nullptr,
                .escaped_token = nullptr,
                .issued_at = {},
                .expires_at = {}};
  for (const Selector& selector : record.selectors) {
    if (members_.leads_to(selector.key, slot)) row.keys.push_back(selector.key);
  }
  if (record.community_member_id && members_.is_pinned_to(*record.community_member_id, record.id)) {
    const auto id = MemberKey::from_id(*record.community_member_id);
    if (id && std::ranges::find(row.keys, *id) == row.keys.end()) row.keys.push_back(*id);
  }
  if (row.keys.empty()) row.keys.push_back(primary_key(record));
  const Token* const access = servable(record);
  if (access != nullptr || is_identified(record)) {
    row.community_member_id = record.community_member_id.value_or(0);
    row.community_id = record.community_id.value_or(0);
  }
  if (access != nullptr) {
    row.access_token = access->value;
    row.escaped_token = escaped_for_json(*access->value);
    row.fingerprint = access->fingerprint;
    row.issued_at = access->issued_at;
    row.expires_at = access->expires_at;
  }
  outbox_.then(command::Publish{std::move(row)});
}

// A mismatched member has tokens on record that came under its name but belong to another member.
// If that member has a record, they are on it too, and must not be revoked for this one.
void Engine::release_shared(MemberSlot& slot) {
  if (slot.record.state != MemberState::kMismatched || slot.record.tokens.empty()) return;
  std::set<Fingerprint> own;
  for (const Token& token : slot.record.tokens) own.insert(token.fingerprint);
  std::set<Fingerprint> elsewhere;
  for (const auto& [member, other] : members_.all()) {
    if (member == slot.record.id) continue;
    for (const Token& token : other.record.tokens) {
      if (own.contains(token.fingerprint)) elsewhere.insert(token.fingerprint);
    }
  }
  RecordChange change;
  erase_if(slot.record.tokens, [&](const Token& token) {
    const bool shared = elsewhere.contains(token.fingerprint);
    if (shared) change.erased.push_back(token.id);
    return shared;
  });
  record_change(slot, change);
}

// A leaver without a live token is retired. Whoever waits for that gets an answer.
void Engine::settle_if_nothing_alive(MemberSlot& slot, Now now) {
  settle_sign_out(slot);
  const auto is_gone = [](const Token& t) { return t.status == TokenStatus::kMemberGone; };
  if (!slot.in_flight && std::ranges::all_of(slot.record.tokens, is_gone)) {
    const RecordChange change = enter(slot.record, LifecycleEvent::kNothingAlive, circle_now(now));
    // A leaver's tokens are erased for good: the write-ahead log is cut, once a batch.
    const bool leaves = !change.empty() || !slot.operations.empty();
    if (leaves) outbox_.scrub();
    record_change(slot, change);
    complete_all(slot, OperatorAction::kRevoke, OperationEnd::kRevoked);
  }
  settle_removal(slot);
}

void Engine::tell(Severity severity, std::string event, const MemberSlot* slot, std::string text) {
  outbox_.then(command::Tell{{.severity = severity,
                              .event = std::move(event),
                              .member = slot ? primary_key(slot->record).text() : std::string{},
                              .text = std::move(text)}});
}

// An entry for the audit trail. It leaves when what it is about is durable.
void Engine::note(AuditEvent event, const MemberSlot* slot, std::string detail, Fingerprint token) {
  outbox_.then(command::Note{.key = {.event = event,
                                     .member = slot ? slot->record.id : MemberId{},
                                     .token = token,
                                     .detail = std::move(detail)},
                             .member = slot ? primary_key(slot->record).text() : std::string{}});
}

void Engine::forget(MemberSlot& slot) {
  outbox_.change(ForgetMember{slot.record.id});
  take_out(slot);
}

// From memory and from the table. ForgetMember goes with it.
void Engine::take_out(MemberSlot& slot) {
  const MemberId member = slot.record.id;
  schedule_.remove(member, slot.places);
  gate_.forget_arrival(member);
  members_.remove(slot);
  outbox_.then(command::Withdraw{member});
}

}  // namespace rota
