#include "plan/next_action.h"

#include <algorithm>

#include "base/check.h"
#include "model/expiry.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"

namespace rota {
namespace {

// A pointer to const if `tokens` is const.
template <class Tokens>
auto* find_current(Tokens& tokens, TokenKind kind) {
  const auto it = std::ranges::find_if(tokens, [kind](const Token& token) {
    return token.kind == kind && token.status == TokenStatus::kCurrent;
  });
  return it == tokens.end() ? nullptr : &*it;
}

void offer(MemberPlan& plan, const PlannedCall& call) {
  auto& place = plan.calls[index_of(call.lane)];
  if (!place || call.due < place->due) place = call;
}

void wake(MemberPlan& plan, WallTime at) {
  plan.housekeeping = std::min(plan.housekeeping.value_or(at), at);
}

// The refresh token goes first: while it lives, access tokens can be made from it. If its
// revocation failed, it waits, and the others do not wait for it.
void plan_revocations(const MemberRecord& record, const Attempts& attempts, const Demand& demand,
                      MemberPlan& plan) {
  for (const TokenKind kind : {TokenKind::kRefresh, TokenKind::kAccess}) {
    for (const Token& token : record.tokens) {
      if (token.kind != kind || token.status != TokenStatus::kRevoking) continue;
      const bool urgent =
          is_a_leavers(token, record) || (demand.hurries_revocations && kind == TokenKind::kAccess);
      offer(
          plan,
          {.kind = kind == TokenKind::kRefresh ? CallKind::kRevokeRefresh : CallKind::kRevokeAccess,
           .lane = urgent ? Lane::kRevocation : Lane::kSuperseded,
           .due = std::max(attempts.revocation_retry_at(token.id), attempts.throttled_until),
           .token = token.id});
    }
  }
}

// Whether a refresh token will soon be revoked, so that it is worth waiting for. It is not worth it
// if Circle was asked often enough in vain. Nor while we ask for the member by one name after the
// other: each of these calls replaces the refresh token of the call before.
bool revokes_refresh_token(const MemberRecord& record, const Attempts& attempts) {
  const bool in_a_round = has_unresolved_name(record);
  return std::ranges::any_of(record.tokens, [&](const Token& token) {
    return token.kind == TokenKind::kRefresh && token.status == TokenStatus::kRevoking &&
           (!in_a_round || is_a_leavers(token, record)) &&
           attempts.revocations_unheard(token.id) < kRevocationTriesAwaited;
  });
}

// A live access token of before a sign-out whose revocation Circle has not refused to hear yet. A
// refresh before that could bring the same token again. Null: there is none.
const Token* revoked_before_refresh(const MemberRecord& record, const Attempts& attempts,
                                    WallTime now) {
  if (current(record, TokenKind::kAccess) != nullptr) return nullptr;
  const auto it = std::ranges::find_if(record.tokens, [&](const Token& token) {
    return token.kind == TokenKind::kAccess && token.status == TokenStatus::kRevoking &&
           alive(token.expires_at, now) && attempts.revocation_retry_at(token.id) == WallTime{};
  });
  return it == record.tokens.end() ? nullptr : &*it;
}

void offer_renewal(WallTime at, const Attempts& attempts, MemberPlan& plan) {
  const WallTime due = std::max(at, attempts.throttled_until);
  offer(plan, {.kind = CallKind::kIssue,
               .lane = Lane::kRenewal,
               .due = attempts.failures > 0 ? std::max(due, attempts.retry_at) : due});
}

void plan_rotation(const MemberRecord& record, const Attempts& attempts, Demand demand,
                   const Policy& policy, const UpstreamFacts& facts, std::uint64_t seed,
                   WallTime now, MemberPlan& plan) {
  const Token* access = current(record, TokenKind::kAccess);
  const Token* refresh = current(record, TokenKind::kRefresh);
  const bool unresolved = has_unresolved_name(record);
  const bool can_refresh = refresh != nullptr && alive(refresh->expires_at, now) &&
                           !attempts.settle_by_issue && !unresolved;
  // A reinstated member starts from a fresh pair. While its old refresh token is alive at Circle,
  // an issue call would return that one.
  if (!can_refresh && revokes_refresh_token(record, attempts)) return;

  // The names of members that are issued on demand are checked too. facts.refresh_lifetime may be
  // too long, if a clock was wrong when it was learned.
  const Duration pair_life = can_refresh ? std::min(facts.refresh_lifetime, lifetime_of(*refresh))
                                         : facts.refresh_lifetime;
  if (const auto check = name_check_due(record, pair_life); check && can_refresh) {
    offer_renewal(*check, attempts, plan);
  }

  // Nobody needs a token of a member that signed out until somebody asks for one.
  if (record.signed_out_at != WallTime{} && !demand.waiting) return;
  if (const Token* const before = revoked_before_refresh(record, attempts, now);
      before != nullptr && can_refresh) {
    if (demand.waiting) {
      offer(plan, {.kind = CallKind::kRevokeAccess,
                   .lane = Lane::kWaiting,
                   .due = attempts.throttled_until,
                   .token = before->id});
    }
    return;  // its reply plans the member again
  }

  const bool refused = access != nullptr && attempts.refused == access->fingerprint;
  // If the budget is short, members that nobody asked for lately are issued on demand.
  if (!demand.kept && !demand.waiting && !refused) return;

  const bool has_token = access != nullptr && alive(access->expires_at, now);
  const bool is_new = !record.community_member_id && only_enrolled(record);
  PlannedCall call{.kind = can_refresh ? CallKind::kRefresh : CallKind::kIssue,
                   // After an outage, members in use go before those that nobody asked for. A name
                   // that clients enrolled may be anything, so it goes behind the known members.
                   .lane = has_token || (demand.in_use && !is_new) ? Lane::kRefresh : Lane::kIssue,
                   .due = access != nullptr && !unresolved
                              ? refresh_due(*access, policy, facts, seed)
                              : WallTime{},
                   .token = can_refresh ? refresh->id : TokenId{}};
  if (demand.waiting) {
    call.lane = Lane::kWaiting;
    // If Circle answers an early refresh with the token that we have, an early call is of no use,
    // unless Circle refuses that token.
    const bool too_early = demand.forced && !unresolved && access != nullptr &&
                           facts.early_refresh_useless && !refused;
    call.due = too_early ? end_refresh_at(*access) : WallTime{};
  } else if (refused) {
    call.due = WallTime{};
  }
  const bool forced = refused || (demand.waiting && demand.forced);
  const bool was_forced = attempts.forced_at != WallTime{};
  if (forced && was_forced && access != nullptr && !attempts.settle_by_issue && !unresolved) {
    // A token that came by itself, however lately, is no reason to wait.
    const WallTime last = std::min(attempts.forced_at, now);
    call.due = std::max(call.due, last + forced_refresh_gap(lifetime_of(*access)));
  }
  if (attempts.failures > 0) {
    // Clients that wait for one bad member must not take the budget of all others.
    if (attempts.failures >= kUrgentTriesMax && demand.others_work) call.lane = Lane::kIssue;
    call.due = std::max(call.due, attempts.next_try(demand.waiting));
  }
  call.due = std::max({call.due, attempts.throttled_until, attempts.no_rotation_before});
  offer(plan, call);

  if (can_refresh && demand.kept) {
    offer_renewal(std::max(renewal_due(*refresh, policy), record.renew_not_before), attempts, plan);
  }
}

// Later and later, but at once if a client asks all the same.
void plan_unknown(const MemberRecord& record, const Attempts& attempts, const Demand& demand,
                  MemberPlan& plan) {
  PlannedCall call{.kind = CallKind::kIssue, .lane = Lane::kIssue, .due = {}, .token = {}};
  if (!demand.anew) {
    call.due = std::max(attempts.retry_at, record.state_since + kUnknownRetryMin);
  } else {
    if (demand.waiting && attempts.failures < kUrgentTriesMax) call.lane = Lane::kWaiting;
    if (attempts.failures > 0) call.due = attempts.next_try(demand.waiting);
    call.due = std::max(call.due, attempts.throttled_until);
  }
  offer(plan, call);
}

// These go behind all other calls, after times that double with each answer.
void plan_gone(const MemberRecord& record, const Attempts& attempts, MemberPlan& plan) {
  for (const Token& token : record.tokens) {
    if (token.status != TokenStatus::kMemberGone) continue;
    const Duration gap =
        std::clamp(token.status_since - token.issued_at, kGoneRetryMin, kGoneRetryMax);
    offer(plan, {.kind = token.kind == TokenKind::kRefresh ? CallKind::kRevokeRefresh
                                                           : CallKind::kRevokeAccess,
                 .lane = Lane::kSuperseded,
                 .due = std::max({token.status_since + gap, attempts.revocation_retry_at(token.id),
                                  attempts.throttled_until}),
                 .token = token.id});
  }
}

void plan_housekeeping(const MemberRecord& record, const Demand& demand, const Policy& policy,
                       MemberPlan& plan) {
  for (const Token& token : record.tokens) {
    switch (token.status) {
      case TokenStatus::kCurrent:
        break;
      case TokenStatus::kSuperseded:
        if (policy.revoke_superseded_after && token.kind == TokenKind::kAccess &&
            record.state != MemberState::kMismatched) {
          wake(plan, token.status_since + *policy.revoke_superseded_after);
        }
        [[fallthrough]];
      case TokenStatus::kRevoking:
      case TokenStatus::kMemberGone:
        wake(plan, token.expires_at + kLedgerSlack);
        break;
    }
  }
  if (const auto over = forget_due(record)) wake(plan, std::max(*over, demand.leaves_not_before));
  if (const auto idle = idle_due(record, policy.enrolment)) {
    wake(plan, std::max(*idle, demand.leaves_not_before));
  }
}

}  // namespace

MemberPlan plan_member(const MemberRecord& record, const Attempts& attempts, Demand demand,
                       const Policy& policy, const UpstreamFacts& facts, std::uint64_t seed,
                       WallTime now) {
  MemberPlan plan;
  plan_housekeeping(record, demand, policy, plan);
  plan_revocations(record, attempts, demand, plan);
  plan_gone(record, attempts, plan);
  switch (record.state) {
    case MemberState::kActive:
      plan_rotation(record, attempts, demand, policy, facts, seed, now, plan);
      break;
    case MemberState::kUnknown:
      plan_unknown(record, attempts, demand, plan);
      break;
    case MemberState::kRetiring:
    case MemberState::kRetired:
    case MemberState::kBlocked:
    case MemberState::kMismatched:
      break;
  }
  return plan;
}

bool is_a_leavers(const Token& token, const MemberRecord& record) {
  return record.state != MemberState::kActive || token.status_since <= record.state_since;
}

std::optional<WallTime> forget_due(const MemberRecord& record) {
  if (record.state != MemberState::kRetired || !record.tokens.empty() || named_by_roster(record)) {
    return std::nullopt;
  }
  return leaves_tombstone(record) ? record.state_since + kTombstoneLife : record.state_since;
}

std::optional<WallTime> idle_due(const MemberRecord& record, const EnrolmentPolicy& policy) {
  // An operator decides about a mismatched one, and a blocked one is never forgotten.
  if (!policy.idle_after || !keeps_tokens(record.state) || !only_enrolled(record)) {
    return std::nullopt;
  }
  return last_wanted(record) + *policy.idle_after;
}

const Token* current(const MemberRecord& record, TokenKind kind) {
  return find_current(record.tokens, kind);
}

Token* current(MemberRecord& record, TokenKind kind) { return find_current(record.tokens, kind); }

}  // namespace rota
