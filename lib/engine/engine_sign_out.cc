#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "engine/engine.h"
#include "model/expiry.h"
#include "plan/lifecycle.h"

// Sign-outs, the ends of enrolments, and of login handles: what clients may ask for a member.

namespace rota {

// kRunning: its access tokens are being revoked.
OperationEnd Engine::sign_out(MemberSlot& slot, Now now, Commands& out) {
  const WallTime circle = circle_now(now);
  const bool calls = slot.in_flight && rotates(gate_.at(*slot.in_flight).kind);
  if (slot.signed_out_at && now.boot - *slot.signed_out_at < kSignOutGap) {
    // If nothing is left of what has come since then, there is no token to sign out. What came may
    // have been replaced, and its successor given back.
    const bool came = std::ranges::any_of(slot.record.tokens, [](const Token& token) {
      return token.kind == TokenKind::kAccess &&
             (token.status == TokenStatus::kCurrent || token.status == TokenStatus::kSuperseded);
    });
    const bool is_new = came || (calls && *slot.in_flight >= slot.access_revoked_before);
    if (is_new) return OperationEnd::kSignedOutLately;
    serve_no_more(slot, std::nullopt, out);  // what it lost otherwise may still be shown
    // Who was given a token that has ended, or was given back, still has a login.
    slot.record.handles.clear();
    record_change(slot, {.row = true, .put = {}, .erased = {}, .ends_logins = true});
    return OperationEnd::kRunning;
  }
  slot.signed_out_at = now.boot;
  // Replies to calls of before count for nothing, and calls not sent yet are not sent.
  slot.access_revoked_before = journal_.next();
  if (slot.in_flight) gate_.recall(*slot.in_flight);
  serve_no_more(slot, std::nullopt, out);
  record_change(slot, rota::sign_out(slot.record, circle));
  if (is_token_awaited(slot)) slot.record.signed_out_at = {};  // somebody asks for the next one
  std::size_t alive_still = 0;
  for (const Token& token : slot.record.tokens) {
    if (token.kind != TokenKind::kAccess || token.status != TokenStatus::kRevoking) continue;
    note_revocation(slot, token, "pending", true);
    if (alive(token.expires_at, circle)) ++alive_still;
  }
  hurry_revocations(slot, alive_still, now);
  note(AuditEvent::kSignedOut, &slot);
  return OperationEnd::kRunning;
}

// A client gives one access token back. False: the member has none like it that may be alive. If
// the token was in force, the member gets the next one when somebody asks. Unlike sign_out(), this
// keeps its logins, its other tokens, and what a call of before brings, unless that is this token.
bool Engine::revoke_token(MemberSlot& slot, Fingerprint fingerprint, Now now, Commands& out) {
  const WallTime circle = circle_now(now);
  const auto token = std::ranges::find_if(slot.record.tokens, [&](const Token& held) {
    return held.kind == TokenKind::kAccess && held.fingerprint == fingerprint &&
           held.status != TokenStatus::kMemberGone && alive(held.expires_at, circle);
  });
  if (token == slot.record.tokens.end()) return false;
  note_revocation(slot, *token, "pending", true);
  // Also where the record has it revoked already: until that is durable, the table shows it.
  serve_no_more(slot, fingerprint, out);
  if (token->status == TokenStatus::kRevoking) return true;
  const bool in_force = token->status == TokenStatus::kCurrent;
  record_change(slot, revoke_access_token(slot.record, token->id, circle));
  hurry_revocations(slot, 1, now);
  if (!in_force) return true;
  if (slot.in_flight) gate_.recall(*slot.in_flight);
  // A client that revokes each new token must not take the budget of all others.
  slot.attempts.no_rotation_before =
      std::max(circle, slot.attempts.no_rotation_before + kSignOutGap);
  if (is_token_awaited(slot)) end_sign_out(slot);  // somebody asks for the next one
  return true;
}

// At once, even if the store takes the change only later. If what replaced the token is not durable
// yet, the table still shows the token; its successor comes with the commit that holds it.
void Engine::serve_no_more(const MemberSlot& slot, std::optional<Fingerprint> token,
                           Commands& out) {
  for (const MemberId shown : outbox_.unserve(slot.record.id, token)) {
    out.emplace_back(command::Unserve{.member = shown, .token = token});
  }
}

// Its access tokens are to be revoked before refreshes are made, if so many still may be.
void Engine::hurry_revocations(MemberSlot& slot, std::size_t tokens, Now now) {
  if (!urgent_sign_outs_.has(tokens, now.boot)) return;
  slot.hurries_revocations = tokens > 0;
  for (std::size_t i = 0; i < tokens; ++i) urgent_sign_outs_.take(now.boot);
}

// A client asks for the member's token again.
void Engine::end_sign_out(MemberSlot& slot) {
  if (slot.record.signed_out_at == WallTime{}) return;
  slot.record.signed_out_at = {};
  record_change(slot, RecordChange{.row = true, .put = {}, .erased = {}});
}

// Ends the orders to revoke this access token.
void Engine::end_token_revocations(MemberSlot& slot, Fingerprint token, OperationEnd end) {
  const auto operations = slot.operations;
  for (const OperatorId op : operations) {
    const bool is_its = operations_.action_of(op) == OperatorAction::kRevokeToken &&
                        operations_.token_of(op) == token;
    if (is_its) complete(op, slot, end);
  }
}

// Whether a call that was sent before `mark` may still bring a token of before.
bool Engine::may_bring_more(const MemberSlot& slot, CallId mark) {
  return slot.in_flight && *slot.in_flight < mark && rotates(gate_.at(*slot.in_flight).kind);
}

// No access token of before the sign-out is alive any more, and no call can bring one.
void Engine::settle_sign_out(MemberSlot& slot) {
  const auto is_pending = [](const Token& token) {
    return token.kind == TokenKind::kAccess && token.status == TokenStatus::kRevoking;
  };
  const auto operations = slot.operations;
  for (const OperatorId op : operations) {
    if (operations_.action_of(op) != OperatorAction::kRevokeToken) continue;
    const auto is_its = [&, wanted = operations_.token_of(op)](const Token& token) {
      return is_pending(token) && token.fingerprint == wanted;
    };
    const bool has_expired = std::ranges::none_of(slot.record.tokens, is_its);
    if (has_expired) complete(op, slot, OperationEnd::kNoSuchToken);
  }
  if (may_bring_more(slot, slot.access_revoked_before) ||
      std::ranges::any_of(slot.record.tokens, is_pending)) {
    return;
  }
  slot.hurries_revocations = false;
  complete_all(slot, OperatorAction::kSignOut, OperationEnd::kSignedOut);
}

// The same for a member that left, and all its tokens. It may be back by now.
void Engine::settle_removal(MemberSlot& slot) {
  const bool is_pending = std::ranges::any_of(slot.record.tokens, [](const Token& token) {
    return token.status == TokenStatus::kRevoking;
  });
  if (is_pending || may_bring_more(slot, slot.revoked_before)) return;
  complete_all(slot, OperatorAction::kEndEnrolment, OperationEnd::kEnrolmentEnded);
}

// kRunning: the member leaves, and its tokens are being revoked.
OperationEnd Engine::end_enrolment(MemberSlot& slot, const std::string& client, Now now) {
  if (named_by_roster(slot.record)) return OperationEnd::kInRoster;
  if (!is_enrolled(slot.record, client)) return OperationEnd::kNotEnrolled;
  if (!client.empty()) {
    const auto count_own = [this, &client] {
      return static_cast<std::size_t>(std::ranges::count_if(
          members_.all(),
          [&client](const auto& member) { return is_enrolled(member.second.record, client); }));
    };
    switch (removals_.ask(client, count_own, now.boot)) {
      case Removals::Verdict::kAllowed:
        break;
      case Removals::Verdict::kFirstRefused:
        removals_.record(outbox_.changes());
        tell(Severity::kError, "removals_limited", nullptr,
             fmt::format("{} removes more members within an hour than the guard allows: rotad "
                         "removes no more for it until an operator lifts that with `rota "
                         "lift-removals {}`",
                         client, client));
        note(AuditEvent::kRemovalsLimited, nullptr, client);
        return OperationEnd::kRemovalsLimited;
      case Removals::Verdict::kRefused:
        return OperationEnd::kRemovalsLimited;
    }
  }
  end_enrolments(slot.record, client);
  note(AuditEvent::kEnrolmentEnded, &slot, client);
  const bool stays = is_wanted(slot.record);
  if (!stays) {
    for (const Token& token : slot.record.tokens) note_revocation(slot, token, "pending", true);
  }
  follow_wanted(slot, now);
  return stays ? OperationEnd::kEnrolmentEnded : OperationEnd::kRunning;
}

void Engine::on_lift_removals(OperatorId op, const std::string& client, Now now, Commands& out) {
  // One that was lifted just now may not be on disk yet: whoever asks again waits for that.
  if (!removals_.holds_back(client) && !removals_.is_lifted(client, now.boot)) {
    const auto held = removals_.held_back();
    auto why = fmt::format("{} is not held back; held back: {}", client,
                           held.empty() ? "nobody" : fmt::to_string(fmt::join(held, ", ")));
    out.emplace_back(
        command::Report{.op = op, .report = fail(ErrorKind::kInvalid, std::move(why))});
    return;
  }
  operations_.begin(op, OperatorAction::kEndEnrolment, now.boot);  // of no member
  removals_.lift(client, now.boot);
  removals_.record(outbox_.changes());
  tell(Severity::kWarning, "removals_lifted", nullptr,
       fmt::format("an operator lets {} remove members for an hour", client));
  if (operations_.complete_if_empty(op, OperationEnd::kRemovalsLifted)) outbox_.report(op);
  pump(now, out);
}

// Handles of this holder with the number of before, or a smaller one, are dead.
void Engine::raise_handle(MemberSlot& slot, const std::string& holder) {
  auto& handles = slot.record.handles;
  auto own = std::ranges::lower_bound(handles, holder, {}, &HandleCount::holder);
  if (own == handles.end() || own->holder != holder) {
    own = handles.insert(own, HandleCount{.holder = holder});
  }
  ++own->number;
  record_change(slot, RecordChange{.row = true, .put = {}, .erased = {}});
  note(AuditEvent::kHandleRevoked, &slot, holder);
}

// Unlike all before it, even if a start uses the seed of another one again.
LoginEpoch Engine::draw_login_epoch() {
  const auto time = static_cast<std::uint64_t>(clock().at(pumped_at_).time_since_epoch().count());
  const std::array<std::uint64_t, 2> drawn{login_epochs_.next(), login_epochs_.next() ^ time};
  return std::bit_cast<LoginEpoch>(drawn);
}

}  // namespace rota
