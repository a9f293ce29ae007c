#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/engine.h"
#include "plan/freshness.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"

// Which member the tokens of a reply belong to (P13), whether they may be used (P4), and how long
// tokens may live that were lost with a reply (P3).

namespace rota {

// The first issue for a selector may show that another entry already names this member. From then
// on both are one record and share its tokens.
MemberSlot& Engine::merge_if_known(MemberSlot& slot, const CallState& call, const Reply& reply,
                                   Now now) {
  const auto* issued = std::get_if<Issued>(&reply.outcome);
  if (issued == nullptr) return slot;
  const std::int64_t circle_id = issued->pair.community_member_id;
  // A name that led to no member for a while may still be pinned: it is this member again.
  if (slot.record.community_member_id.value_or(circle_id) != circle_id) return slot;
  const bool contradicts = std::ranges::any_of(slot.record.selectors, [&](const Selector& s) {
    return s.key.kind == SelectorKind::kCommunityMemberId && s.key.id() != circle_id;
  });
  // The roster may name the member by this id in an entry that never had a token, for example
  // because it is retired.
  MemberSlot* const pinned = members_.find_pinned(circle_id);
  MemberSlot* const known =
      pinned != nullptr
          ? pinned
          : members_.find(MemberKey{SelectorKind::kCommunityMemberId, fmt::to_string(circle_id)});
  if (contradicts || known == nullptr || known == &slot) return slot;

  MemberSlot& into = *known;
  if (into.record.state == MemberState::kMismatched) {
    // `into` is the record that this member had before. Then the selector of `into` began to lead
    // to somebody else, so `into` is mismatched. But its tokens are still this member's: `slot`
    // takes them.
    record_change(slot, take_tokens(slot.record, into.record, circle_now(now)));
    members_.unindex(into);
    into.record.community_member_id.reset();
    into.record.community_id.reset();
    members_.index(into);
    record_change(into, RecordChange{.row = true, .put = {}, .erased = {}});
    return slot;
  }
  note_resolved(slot.record, *call.name, circle_now(now));
  merge_into(into, slot, now);
  return into;
}

// One of several names now leads to somebody else, or to nobody. It becomes a member of its own,
// for which nothing is served; the other names go on.
MemberSlot& Engine::split_if_elsewhere(MemberSlot& slot, const CallState& call, const Reply& reply,
                                       Now now) {
  const auto* issued = std::get_if<Issued>(&reply.outcome);
  const bool elsewhere = issued != nullptr && is_other_identity(slot.record, issued->pair) &&
                         issued->pair.community_id == slot.record.community_id;
  const bool nobody =
      call.kind == CallKind::kIssue && std::holds_alternative<MemberUnknown>(reply.outcome);
  if ((!elsewhere && !nobody) || !can_do_without(slot.record, *call.name)) return slot;
  const WallTime circle = circle_now(now);
  members_.unindex(slot);
  MemberRecord own = split_name(slot.record, *call.name, members_.next_id(), circle);
  members_.index(slot);
  own.login_epoch = draw_login_epoch();
  tell(Severity::kWarning, "name", &slot,
       fmt::format(
           "{} no longer leads to this member: rotad treats that name as a member of its own",
           call.name->text()));
  const RecordChange row{.row = true, .put = {}, .erased = {}};
  record_change(slot, row);
  MemberSlot& split = members_.add(std::move(own));
  record_change(split, row);
  // A record is stored without its last use.
  if (split.record.last_used > split.use_on_record) want_use_recorded(split, now);
  if (!is_wanted(split.record)) follow_wanted(split, now);
  return split;
}

// A selector that led to one member now brings the tokens of another member that has a record. They
// belong to that record, which keeps or revokes them, depending on its state.
bool Engine::give_to_owner(MemberSlot& slot, const CallState& call, const Reply& reply, Now now) {
  const auto* issued = std::get_if<Issued>(&reply.outcome);
  if (issued == nullptr || !is_other_identity(slot.record, issued->pair)) return false;
  MemberSlot* const known = members_.find_pinned(issued->pair.community_member_id);
  if (known == nullptr || known == &slot) return false;
  MemberSlot& owner = *known;
  if (is_other_identity(owner.record, issued->pair)) return false;

  const WallTime circle = circle_now(now);
  record_change(slot, enter(slot.record, LifecycleEvent::kOtherIdentity, circle));
  tell(Severity::kError, "mismatched", &slot,
       fmt::format("now leads to {}: rotad serves nothing under this name until an operator "
                   "decides (rota reinstate or rota revoke)",
                   primary_key(owner.record).text()));
  answer_waiters(slot, now);
  const TokenId first_new = token_ids_.next();
  const Applied applied = apply(owner.record, CallKind::kIssue, {}, reply.outcome, circle,
                                token_ids_, use_of(owner, call));
  note_received(owner, call, reply.outcome, first_new,
                fmt::format(" by the name {}", primary_key(slot.record).text()));
  record_change(owner, applied.change);
  (void)arrived_dead(owner, reply.outcome, now);
  on_identified(owner, now);
  note(AuditEvent::kMemberMismatched, &slot);
  replan(owner, now);
  return true;
}

Use Engine::use_of(const MemberSlot& slot, const CallState& call) {
  if (call.id < slot.revoked_before) return Use::kRevoke;
  return call.id < slot.access_revoked_before ? Use::kRevokeAccess : Use::kKeep;
}

}  // namespace rota
