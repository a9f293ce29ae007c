#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/engine.h"
#include "plan/freshness.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"

// Who the tokens of a reply belong to (P13), whether they may be used (P4), and how long those may
// live that were lost with one (P3).

namespace rota {

// A selector's first issue may show that it is a member that another entry brought already: then
// both are one record from here on, and its tokens are shared.
MemberSlot& Engine::merge_if_known(MemberSlot& slot, const CallState& call, const Reply& reply,
                                   Now now) {
  const auto* issued = std::get_if<Issued>(&reply.outcome);
  if (issued == nullptr) return slot;
  const std::int64_t circle_id = issued->pair.community_member_id;
  // A name that led to nobody for a while may be pinned, and is this member again.
  if (slot.record.community_member_id.value_or(circle_id) != circle_id) return slot;
  const bool contradicts = std::ranges::any_of(slot.record.selectors, [&](const Selector& s) {
    return s.key.kind == SelectorKind::kCommunityMemberId && s.key.id() != circle_id;
  });
  // One that the roster names by this id may never have been issued itself: it may be there as
  // retired.
  MemberSlot* const pinned = members_.find_pinned(circle_id);
  MemberSlot* const known =
      pinned != nullptr
          ? pinned
          : members_.find(MemberKey{SelectorKind::kCommunityMemberId, fmt::to_string(circle_id)});
  if (contradicts || known == nullptr || known == &slot) return slot;

  MemberSlot& into = *known;
  if (into.record.state == MemberState::kMismatched) {
    // That one was this member until its selector went to another: its tokens are this one's.
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

// One name of several leads to somebody else by now, or to nobody: from here on it is a member of
// its own, which nothing is served to, and the other names go on.
MemberSlot& Engine::split_if_elsewhere(MemberSlot& slot, const CallState& call, const Reply& reply,
                                       Now now) {
  const auto* issued = std::get_if<Issued>(&reply.outcome);
  const bool elsewhere = issued != nullptr && is_other_identity(slot.record, issued->pair) &&
                         issued->pair.community_id == slot.record.community_id;
  const bool nobody =
      call.kind == CallKind::kIssue && std::holds_alternative<MemberUnknown>(reply.outcome);
  if ((!elsewhere && !nobody) || !can_do_without(slot.record, *call.name)) return slot;
  const WallTime circle = circle_now(now);
  MemberRecord own = split_name(slot.record, *call.name, members_.next_id(), circle);
  tell(Severity::kWarning, "name", &slot,
       fmt::format("{} leads to it no more: that name is taken for a member of its own",
                   call.name->text()));
  const RecordChange row{.row = true, .put = {}, .erased = {}};
  record_change(slot, row);
  MemberSlot& split = members_.add(std::move(own));
  record_change(split, row);
  if (!wanted_by_roster(split.record)) follow_roster(split, now);
  return split;
}

// A selector that led to one member now brings the tokens of another that has a record of its own:
// they are that one's, to be kept or revoked as it stands.
bool Engine::give_to_owner(MemberSlot& slot, const CallState& call, const Reply& reply, Now now) {
  const auto* issued = std::get_if<Issued>(&reply.outcome);
  if (issued == nullptr || !is_other_identity(slot.record, issued->pair)) return false;
  MemberSlot* const known = members_.find_pinned(issued->pair.community_member_id);
  if (known == nullptr || known == &slot) return false;
  MemberSlot& owner = *known;
  if (is_other_identity(owner.record, issued->pair)) return false;

  const WallTime circle = circle_now(now);
  note_received(owner, call, reply.outcome,
                fmt::format(" by the name {}", primary_key(slot.record).text()));
  record_change(slot, enter(slot.record, LifecycleEvent::kOtherIdentity, circle));
  tell(
      Severity::kError, "mismatched", &slot,
      fmt::format("now leads to {}: nothing is served under this name until an operator settles it",
                  primary_key(owner.record).text()));
  answer_waiters(slot, now);
  record_change(owner, apply(owner.record, CallKind::kIssue, {}, reply.outcome, circle, token_ids_,
                             use_of(owner, call))
                           .change);
  (void)arrived_dead(owner, reply.outcome, now);
  note(AuditEvent::kMemberMismatched, &slot);
  replan(owner, now);
  return true;
}

Use Engine::use_of(const MemberSlot& slot, const CallState& call) {
  return call.id < slot.revoked_before ? Use::kRevoke : Use::kKeep;
}

}  // namespace rota
