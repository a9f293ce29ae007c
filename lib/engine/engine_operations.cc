#include <fmt/format.h>

#include "engine/engine.h"
#include "plan/lifecycle.h"

// What operators ask for, and how that ends.

namespace rota {

void Engine::on_operator(OperatorId op, const OperatorRequest& request, Now now, Commands& out) {
  const auto& [member, action, called, client, token] = request;
  const auto refuse = [&](std::string why) {
    out.emplace_back(
        command::Report{.op = op, .report = fail(ErrorKind::kInvalid, std::move(why))});
  };
  MemberSlot* const known = members_.find(member);
  if (known == nullptr) return refuse(fmt::format("no member {} on record", called));
  MemberSlot& slot = *known;
  const auto state = name_of(slot.record.state);
  if (action == OperatorAction::kRotate && slot.record.state != MemberState::kActive) {
    return refuse(
        fmt::format("member {} is {}: only an active member can be rotated", called, state));
  }
  if (action == OperatorAction::kReinstate && !can_be_reinstated(slot.record.state)) {
    return refuse(fmt::format(
        "member {} is {}: only a blocked, unknown or mismatched member can be reinstated", called,
        state));
  }
  const bool signs_out =
      action == OperatorAction::kSignOut || action == OperatorAction::kRevokeToken;
  if (signs_out && !keeps_tokens(slot.record.state)) {
    return refuse(fmt::format("member {} is {}: it has nothing to sign out", called, state));
  }
  operations_.begin(op, action, now.boot, token);
  operations_.add(op, slot.record.id);
  slot.operations.push_back(op);
  switch (action) {
    case OperatorAction::kRotate:
      ++slot.rotations_asked;
      break;
    case OperatorAction::kRevoke:
      release_shared(slot);
      block(slot, now);
      tell(Severity::kWarning, "blocked", &slot, "an operator revoked it");
      settle_if_nothing_alive(slot, now);
      break;
    case OperatorAction::kReinstate:
      slot.attempts = {};
      if (slot.record.state == MemberState::kMismatched) {
        release_shared(slot);
        members_.unindex(slot);
        record_change(slot, accept_identity(slot.record, circle_now(now)));
        members_.index(slot);
      } else {
        record_change(slot,
                      enter(slot.record, LifecycleEvent::kOperatorReinstates, circle_now(now)));
      }
      tell(Severity::kWarning, "reinstated", &slot, "an operator reinstated it");
      note(AuditEvent::kMemberReinstated, &slot);
      complete(op, slot, OperationEnd::kReinstated);
      settle_if_nothing_alive(slot, now);
      break;
    case OperatorAction::kSignOut:
      if (const auto end = sign_out(slot, now, out); end != OperationEnd::kRunning) {
        complete(op, slot, end);
      }
      settle_if_nothing_alive(slot, now);
      break;
    case OperatorAction::kRevokeToken:
      if (!revoke_token(slot, token, now, out)) complete(op, slot, OperationEnd::kNoSuchToken);
      settle_if_nothing_alive(slot, now);
      break;
    case OperatorAction::kEndEnrolment:
      if (const auto end = end_enrolment(slot, client, now); end != OperationEnd::kRunning) {
        complete(op, slot, end);
      }
      break;
    case OperatorAction::kRevokeHandle:
      raise_handle(slot, client);
      complete(op, slot, OperationEnd::kHandleRevoked);
      break;
  }
  replan(slot, now);
  pump(now, out);
}

void Engine::on_revoke_all(OperatorId op, Now now, Commands& out) {
  operations_.begin(op, OperatorAction::kRevoke, now.boot);
  tell(Severity::kError, "revoke_all", nullptr, "an operator revoked all members");
  for (auto& [member, slot] : members_.all()) {
    if (slot.record.state == MemberState::kRetired) continue;
    operations_.add(op, member);
    slot.operations.push_back(op);
    block(slot, now);
    replan(slot, now);
  }
  for (auto& [member, slot] : members_.all()) settle_if_nothing_alive(slot, now);
  if (operations_.complete_if_empty(op, OperationEnd::kNobody)) outbox_.report(op);
  pump(now, out);
}

// Nothing of the member is served any more, and its tokens are to be revoked. If it shares tokens
// with a member that goes on using them, call release_shared() first. on_revoke_all() need not: the
// tokens of both members are to be revoked.
void Engine::block(MemberSlot& slot, Now now) {
  for (const Token& token : slot.record.tokens) note_revocation(slot, token, "pending", true);
  if (slot.record.state != MemberState::kBlocked) note(AuditEvent::kMemberBlocked, &slot);
  record_change(slot, enter(slot.record, LifecycleEvent::kOperatorRevokes, circle_now(now)));
  answer_waiters(slot, now);
}

void Engine::note_revocation(const MemberSlot& slot, const Token& token, const std::string& result,
                             bool alive_still) {
  for (const OperatorId op : slot.operations) {
    operations_.note_revocation(op, token.kind, token.fingerprint, result, alive_still);
  }
}

// Ends the operations of this kind for this member.
void Engine::complete_all(MemberSlot& slot, OperatorAction action, OperationEnd end) {
  const auto operations = slot.operations;
  for (const OperatorId op : operations) {
    if (operations_.action_of(op) == action) complete(op, slot, end);
  }
}

// A member that is not active gets no new token.
void Engine::end_rotations(MemberSlot& slot) {
  OperationEnd end = OperationEnd::kMemberOut;
  switch (slot.record.state) {
    case MemberState::kActive:
      return;
    case MemberState::kUnknown:
      end = OperationEnd::kMemberUnknown;
      break;
    case MemberState::kMismatched:
      end = OperationEnd::kMemberMismatched;
      break;
    case MemberState::kRetiring:
    case MemberState::kRetired:
    case MemberState::kBlocked:
      break;
  }
  complete_all(slot, OperatorAction::kRotate, end);
}

// What Circle refuses to everybody, no operator has to wait for. What the commands changed here is
// reported once it is durable, as always.
void Engine::end_refused_operations(Now now) {
  if (!gate_.refused_as_a_whole()) return;
  const OperationEnd end = gate_.breaker().state() == BreakerState::kNotEligible
                               ? OperationEnd::kNotEligible
                               : OperationEnd::kAppTokenRefused;
  for (const OperatorId op : operations_.running()) {
    const auto members = operations_.members_of(op);
    for (const MemberId member : members) {
      MemberSlot& slot = members_.at(member);
      complete(op, slot, end);
      if (forget_due(slot.record)) replan(slot, now);
    }
  }
}

// "Not done" needs no commit, so an operator gets the report in time even while commits fail.
void Engine::expire_operations(Now now, Commands& out) {
  const OperationEnd end = stopping_ ? OperationEnd::kStopping : OperationEnd::kTimedOut;
  for (const OperatorId op : operations_.over(now.boot, stopping_)) {
    operations_.give_up_on_disk(op);
    const auto members = operations_.members_of(op);
    for (const MemberId member : members) {
      MemberSlot& slot = members_.at(member);
      complete(op, slot, end);
      if (forget_due(slot.record)) replan(slot, now);
    }
    outbox_.withdraw_report(op);
    out.emplace_back(command::Report{.op = op, .report = operations_.take(op)});
  }
}

// The operation is over for this member. The report leaves with the last one.
void Engine::complete(OperatorId op, MemberSlot& slot, OperationEnd end) {
  erase(slot.operations, op);
  if (operations_.action_of(op) == OperatorAction::kRotate) --slot.rotations_asked;
  const auto doubts = static_cast<std::int64_t>(journal_.doubts_of(slot.record.id));
  if (operations_.complete(op, slot.record.id, slot.record.state, doubts, end)) outbox_.report(op);
}

}  // namespace rota
