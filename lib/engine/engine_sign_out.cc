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
  const Token* const access = current(slot.record, TokenKind::kAccess);
  const bool calls = slot.in_flight && rotates(gate_.at(*slot.in_flight).kind);
  if (slot.signed_out_at && now.boot - *slot.signed_out_at < kSignOutGap) {
    // If nothing has come since then, there is nothing more to sign out.
    const bool is_new =
        access != nullptr || (calls && *slot.in_flight >= slot.access_revoked_before);
    return is_new ? OperationEnd::kSignedOutLately : OperationEnd::kRunning;
  }
  slot.signed_out_at = now.boot;
  // Replies to calls of before count for nothing, and calls not sent yet are not sent.
  slot.access_revoked_before = journal_.next();
  if (slot.in_flight) gate_.recall(*slot.in_flight);
  // At once: it is served no more, even if the store takes the change only later.
  for (const MemberId shown : outbox_.unserve(slot.record.id)) {
    out.emplace_back(command::Unserve{shown});
  }
  record_change(slot, rota::sign_out(slot.record, circle));
  if (!slot.waiters.empty()) slot.record.signed_out_at = {};  // somebody asks for the next one
  std::size_t alive_still = 0;
  for (const Token& token : slot.record.tokens) {
    if (token.kind != TokenKind::kAccess || token.status != TokenStatus::kRevoking) continue;
    note_revocation(slot, token, "pending", true);
    if (alive(token.expires_at, circle)) ++alive_still;
  }
  if (urgent_sign_outs_.has(alive_still, now.boot)) {
    slot.hurries_revocations = alive_still > 0;
    for (std::size_t i = 0; i < alive_still; ++i) urgent_sign_outs_.take(now.boot);
  }
  note(AuditEvent::kSignedOut, &slot);
  return OperationEnd::kRunning;
}

// A client asks for the member's token again.
void Engine::end_sign_out(MemberSlot& slot) {
  if (slot.record.signed_out_at == WallTime{}) return;
  slot.record.signed_out_at = {};
  record_change(slot, RecordChange{.row = true, .put = {}, .erased = {}});
}

// No access token of before the sign-out is alive any more, and no call can bring one.
void Engine::settle_sign_out(MemberSlot& slot) {
  const auto is_pending = [](const Token& token) {
    return token.kind == TokenKind::kAccess && token.status == TokenStatus::kRevoking;
  };
  const bool calls = slot.in_flight && *slot.in_flight < slot.access_revoked_before &&
                     rotates(gate_.at(*slot.in_flight).kind);
  if (calls || std::ranges::any_of(slot.record.tokens, is_pending)) return;
  slot.hurries_revocations = false;
  complete_all(slot, OperatorAction::kSignOut, OperationEnd::kSignedOut);
}

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
  follow_wanted(slot, now);
  return OperationEnd::kEnrolmentEnded;
}

void Engine::on_removals_lifted(const std::string& client, Now now) {
  removals_.lift(client, now.boot);
  removals_.record(outbox_.changes());
  tell(Severity::kWarning, "removals_lifted", nullptr,
       fmt::format("an operator lets {} remove members for an hour", client));
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
