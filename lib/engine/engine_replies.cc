#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "engine/engine.h"
#include "model/expiry.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"

// What a reply from Circle does to the state of the upstream, the journal and the member's record.

namespace rota {
namespace {

// If replies are slow, our idea of Circle's clock is only as exact as a reply takes.
constexpr Duration kDoubtSlack = std::chrono::seconds{30};
// The old token at its very end: Circle's clock is a little behind our idea of it, and it gives the
// same token once more.
constexpr Duration kEndGrace{10'000};

// What the journal records about a call with this outcome.
CallFate fate_of(const Outcome& outcome) {
  const Transient* failure = transient(outcome);
  if (failure == nullptr) return CallFate::kAnswered;
  switch (failure->reason) {
    case TransientReason::kNotSent:
      return CallFate::kNotSent;
    case TransientReason::kUnclear401:
    case TransientReason::kServerError:   // Circle itself says that the call failed
    case TransientReason::kNotProcessed:  // its slot of the budget is used all the same
      return CallFate::kAnswered;
    case TransientReason::kNoReply:
    case TransientReason::kUnclearReply:
      return CallFate::kUnknown;
  }
  ROTA_CHECK(false);
}

}  // namespace

void Engine::on_reply(CallId id, const Reply& reply, Now now, Commands& out) {
  look_at_clocks(now);
  const CallState call = gate_.close(id);
  if (outbox_.state() == Outbox::State::kRunning) ++replies_in_commit_;
  note_upstream(call, reply, now);
  close_row(call, reply.outcome, now);

  MemberSlot& called = members_.at(call.member);
  called.in_flight.reset();
  // The failure may be about this member alone, so it goes behind the others of its lane that are
  // due.
  if (asks_for_pause(reply.outcome)) {
    const BootTime until = gate_.budget().paused_until(now.boot).value_or(now.boot);
    called.attempts.throttled_until = circle_now(now) + (until - now.boot);
  }
  MemberSlot& slot = split_if_elsewhere(merge_if_known(called, call, reply, now), call, reply, now);
  if (give_to_owner(slot, call, reply, now)) {
    // another member's record has it
  } else if (rotates(call.kind)) {
    take_rotation(slot, call, reply, now);
  } else {
    take_revocation(slot, call, reply, now);
  }
  on_identified(slot, now);
  settle_if_nothing_alive(slot, now);
  replan(slot, now);
  if (MemberSlot* const own = members_.find(call.member)) replan(*own, now);
  pump(now, out);
}

void Engine::close_row(const CallState& call, const Outcome& outcome, Now now) {
  const WallTime circle = circle_now(now);
  const CallFate fate = fate_of(outcome);
  std::optional<WallTime> doubt_until;
  // A revocation of unknown fate leaves no doubt: its token stays on record and is revoked again.
  if (fate == CallFate::kUnknown && rotates(call.kind)) {
    doubt_until = circle + kDoubtSlack + learned_.doubt_length(call.kind);
  }
  journal_.close(call.id, fate, doubt_until, times(now), outbox_.changes());
}

void Engine::take_rotation(MemberSlot& slot, const CallState& call, const Reply& reply, Now now) {
  const WallTime circle = circle_now(now);
  const Token* before = current(slot.record, TokenKind::kAccess);
  const bool was_early = before != nullptr && circle + kEarlyMin < before->expires_at;
  const auto unknown_since = slot.record.state == MemberState::kUnknown
                                 ? std::optional(slot.record.state_since)
                                 : std::nullopt;

  const Use use = use_of(slot, call);
  const TokenId first_new = token_ids_.next();
  Applied applied =
      apply(slot.record, call.kind, call.token, reply.outcome, circle, token_ids_, use);
  note_received(slot, call, reply.outcome, first_new, "");
  if (std::holds_alternative<Issued>(reply.outcome) && keeps_tokens(slot.record.state)) {
    applied.change.merge(note_resolved(slot.record, *call.name, circle));
    unknown_names_.forget(*call.name);
  }
  members_.index(slot);
  for (const TokenId id : applied.change.put) {
    const auto token = std::ranges::find(slot.record.tokens, id, &Token::id);
    if (token != slot.record.tokens.end()) learned_.note_life(*token);
  }
  if (learned_.note_rotation_of_refresh(reply.outcome)) {
    outbox_.change(PutMeta{MetaKey::kRefreshRotates, 1});
  }
  record_change(slot, applied.change);

  // What became of it, and what that means. Operators who rotate the member go on waiting, but as
  // took_token() says.
  //
  //                      the next try             clients that wait
  //   kRotated, kSame    as took_token() says     as took_token() says
  //   kUnusable, is in   by an issue call         go on waiting
  //   kUnusable, is out  none                     answered
  //   kPairLost          at once, by an issue     go on waiting
  //   kUnknown           later and later          answered
  //   kMismatched        none                     answered
  //   kNothing           after a backoff          go on waiting
  switch (applied.progress) {
    case Progress::kRotated:
    case Progress::kSame:
      if (!took_token(slot, call, reply, applied.progress, was_early, now)) return;
      break;
    case Progress::kUnusable:
      count_rotation(call.kind);
      if (!keeps_tokens(slot.record.state)) break;
      if (use == Use::kKeep) {
        slot.attempts.settle_by_issue = true;  // Circle gave a token that is being revoked
        count_failure(slot, now);
      } else {
        (void)arrived_dead(slot, reply.outcome, now);  // the next call keeps its distance, too
      }
      return;
    case Progress::kPairLost:
      tell(Severity::kInfo, "pair_lost", &slot,
           "its refresh token is dead: rotad asks Circle for a new pair");
      return;
    case Progress::kUnknown:
      slot.attempts.unknown_to_circle(unknown_since, circle);
      slot.asked_anew = false;
      if (only_enrolled(slot.record)) {
        answer_waiters(slot, now);
        return drop_unknown(slot, now);
      }
      // The roster's word keeps it, and what clients said of it has ended.
      if (end_enrolments(slot.record)) record_change(slot, {.row = true, .put = {}, .erased = {}});
      if (!unknown_since) tell(Severity::kWarning, "unknown", &slot, "Circle has no such member");
      break;
    case Progress::kMismatched:
      tell(Severity::kError, "mismatched", &slot,
           "now leads to another member at Circle: rotad serves nothing for it until an operator "
           "decides (rota reinstate or rota revoke)");
      note(AuditEvent::kMemberMismatched, &slot);
      break;
    case Progress::kRevocation:
    case Progress::kMemberGone:
      ROTA_CHECK(false);
    case Progress::kNothing: {
      const Transient* failure = transient(reply.outcome);
      if (failure == nullptr)
        return;  // throttled, or refused as a whole: not this member's failure
      ++counts_.failures;
      if (failure->reason == TransientReason::kUnclear401) slot.attempts.settle_by_issue = true;
      count_failure(slot, now);
      tell(Severity::kWarning, "call_failed", &slot,
           fmt::format("{} {}", name_of(call.kind), describe(reply.outcome)));
      return;
    }
  }
  answer_waiters(slot, now);
}

void Engine::count_rotation(CallKind kind) {
  ++(kind == CallKind::kIssue ? counts_.issues : counts_.refreshes);
}

// A token came for a member that may use it. True: clients that wait are answered. In both tables
// the first row that fits counts.
//
//                                     the next call
//   the old token, at its very end    in kEndSlack
//   dead on arrival                   as Attempts::arrived_dead() says
//   so short that it is due at once   after a backoff
//   otherwise                         as planned
//
//                                     operators who rotate it   clients that wait
//   dead on arrival                   it was dead on arrival    go on waiting
//   a name was not asked for yet      go on waiting             go on waiting
//   the refused token again           wait for an issue call    wait for an issue call
//   the old token, and it has ended   it is the same            go on waiting
//   otherwise                         it is new, or the same    answered
bool Engine::took_token(MemberSlot& slot, const CallState& call, const Reply& reply,
                        Progress progress, bool was_early, Now now) {
  const WallTime circle = circle_now(now);
  Attempts& attempts = slot.attempts;
  const bool rotated = progress == Progress::kRotated;
  count_rotation(call.kind);
  attempts.answered(call.forced, circle);
  learn(slot, call.kind, progress, was_early, now);
  const Token* access = current(slot.record, TokenKind::kAccess);
  if (access != nullptr && !rotated && !was_early && circle < access->expires_at + kEndGrace) {
    attempts.came_too_early(circle);
    members_.mark_failing(slot.record.id);
  } else if (arrived_dead(slot, reply.outcome, now)) {
    complete_all(slot, OperatorAction::kRotate, OperationEnd::kDeadOnArrival);
    return false;
  } else if (access != nullptr && refresh_due(*access, policy_, facts(), seed_) <= circle) {
    count_failure(slot, now);
  } else {
    attempts.succeeded();
    if (call.lane == Lane::kIssue) issues_go_on_at_ = now.boot;
  }
  if (has_unresolved_name(slot.record)) return false;
  if (access != nullptr) {
    tell(Severity::kDebug, call.kind == CallKind::kIssue ? "issued" : "refreshed", &slot,
         fmt::format("{} until {}", rotated ? "new access token" : "the same access token",
                     format_iso8601(access->expires_at)));
  }
  if (rotated || call.kind == CallKind::kIssue) {
    attempts.refused.reset();
  } else if (access != nullptr && attempts.refused == access->fingerprint) {
    attempts.settle_by_issue = true;  // another refresh would bring it again: a new pair may not
    return false;
  }
  complete_all(slot, OperatorAction::kRotate,
               rotated ? OperationEnd::kRotated : OperationEnd::kSameToken);
  return rotated || access == nullptr || alive(access->expires_at, circle);
}

// Notes every token that came, also one for a leaver or for another member: it exists from now on.
// They are on the ledger by now; those that were not on it before have ids from `first_new` on.
void Engine::note_received(const MemberSlot& slot, const CallState& call, const Outcome& outcome,
                           TokenId first_new, std::string_view how) {
  const auto* issued = std::get_if<Issued>(&outcome);
  const auto* refreshed = std::get_if<Refreshed>(&outcome);
  const AuditEvent event = issued == nullptr             ? AuditEvent::kTokenRefreshed
                           : call.lane == Lane::kRenewal ? AuditEvent::kPairRenewed
                                                         : AuditEvent::kTokenIssued;
  const auto note_token = [&](TokenKind kind, const SecretPtr& token) {
    auto on_ledger = std::ranges::find(slot.record.tokens, token, &Token::value);
    if (on_ledger == slot.record.tokens.end()) {  // the same text as before
      const Fingerprint fingerprint = fingerprint_of(token->reveal());
      on_ledger = std::ranges::find_if(slot.record.tokens, [&](const Token& own) {
        return own.kind == kind && own.fingerprint == fingerprint;
      });
    }
    const bool is_there = on_ledger != slot.record.tokens.end();
    const bool known = is_there && on_ledger->id < first_new;
    note(event, &slot,
         fmt::format("{}{}{}", name_of(kind), known ? ": the same as before" : "", how),
         is_there ? on_ledger->fingerprint : fingerprint_of(token->reveal()));
  };
  if (issued != nullptr) note_token(TokenKind::kRefresh, issued->pair.refresh);
  if (issued != nullptr) note_token(TokenKind::kAccess, issued->pair.access.value);
  if (refreshed != nullptr && refreshed->refresh) {
    note_token(TokenKind::kRefresh, refreshed->refresh->value);
  }
  if (refreshed != nullptr) note_token(TokenKind::kAccess, refreshed->access.value);
}

void Engine::take_revocation(MemberSlot& slot, const CallState& call, const Reply& reply, Now now) {
  const auto token = std::ranges::find(slot.record.tokens, call.token, &Token::id);
  if (token == slot.record.tokens.end()) return;  // it expired in the meantime
  // apply() erases the original
  const Token about = *token;  // NOLINT(performance-unnecessary-copy-initialization): see above
  const WallTime circle = circle_now(now);
  const Applied applied =
      apply(slot.record, call.kind, call.token, reply.outcome, circle, token_ids_);
  const bool dead = applied.progress == Progress::kRevocation;
  if (dead || applied.progress == Progress::kMemberGone) {
    if (dead) ++counts_.revocations;
    const bool may_be_ours = slot.attempts.revocations_unheard(call.token) > 0;
    slot.attempts.revocation_over(call.token);
    const std::string word(name_of(reply.outcome));
    note_revocation(slot, about, word, false);
    record_change(slot, applied.change);
    // Circle says to a client that the token was dead before, unless a call of ours whose reply was
    // lost may have ended it.
    const bool was_alive = std::holds_alternative<Revoked>(reply.outcome) || (dead && may_be_ours);
    end_token_revocations(slot, about.fingerprint,
                          was_alive ? OperationEnd::kTokenRevoked : OperationEnd::kNoSuchToken);
    if (!dead && about.status == TokenStatus::kMemberGone)
      return;  // it was logged when Circle said so first
    tell(Severity::kInfo, dead ? "revoked" : word, &slot,
         fmt::format("{} token {}: {}", name_of(about.kind), format_fingerprint(about.fingerprint),
                     word));
    note(dead ? AuditEvent::kTokenRevoked : AuditEvent::kRevocationOver, &slot,
         fmt::format("{}: {}", name_of(about.kind), word), about.fingerprint);
    // Circle has removed the person of this member. If somebody waits, the next call settles it.
    const bool leaves = !dead && only_enrolled(slot.record) && slot.waiters.empty() &&
                        !is_a_leavers(about, slot.record);
    if (!leaves) return;
    settle_sign_out(slot);
    drop_unknown(slot, now);
    return;
  }
  const std::string why = describe(reply.outcome);
  note_revocation(slot, about, why, true);
  const Transient* failure = transient(reply.outcome);
  // Not Circle's own words, because nobody knows what they may have.
  note(AuditEvent::kRevocationFailed, &slot,
       fmt::format("{}: {}", name_of(about.kind),
                   failure == nullptr ? name_of(reply.outcome) : name_of(failure->reason)),
       about.fingerprint);
  if (failure == nullptr) return;  // it is tried again when calls resume
  ++counts_.failures;
  slot.attempts.revocation_failed(call.token, failure->reason != TransientReason::kNotSent,
                                  facts().access_lifetime, circle, random_);
  members_.mark_failing(slot.record.id);
  tell(Severity::kWarning, "call_failed", &slot, fmt::format("{} {}", name_of(call.kind), why));
}

}  // namespace rota
