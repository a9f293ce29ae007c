#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "base/check.h"
#include "base/enumerators.h"
#include "model/audit.h"
#include "model/outcome.h"
#include "model/record.h"

namespace rota {

std::string_view name_of(CallKind kind) {
  switch (kind) {
    case CallKind::kIssue:
      return "issue";
    case CallKind::kRefresh:
      return "refresh";
    case CallKind::kRevokeRefresh:
      return "revoke_refresh";
    case CallKind::kRevokeAccess:
      return "revoke_access";
  }
  ROTA_CHECK(false);
}

std::string_view name_of(const Outcome& outcome) { return outcome_name(outcome.index()); }

std::string_view outcome_name(std::size_t index) {
  constexpr std::array<std::string_view, std::variant_size_v<Outcome>> kNames{
      "issued",         "refreshed",          "revoked",           "already_dead", "member_gone",
      "member_unknown", "refresh_token_dead", "app_token_refused", "not_eligible", "throttled",
      "transient"};
  return kNames.at(index);
}

std::string_view name_of(TransientReason reason) {
  switch (reason) {
    case TransientReason::kNotSent:
      return "not_sent";
    case TransientReason::kNoReply:
      return "no_reply";
    case TransientReason::kUnclearReply:
      return "unclear_reply";
    case TransientReason::kUnclear401:
      return "unclear_401";
    case TransientReason::kServerError:
      return "server_error";
    case TransientReason::kNotProcessed:
      return "not_processed";
  }
  ROTA_CHECK(false);
}

std::string describe(const Outcome& outcome) {
  const Transient* failure = transient(outcome);
  if (failure == nullptr) return std::string(name_of(outcome));
  return fmt::format("{}: {}", name_of(failure->reason), failure->why);
}

static_assert(std::ranges::equal(kMemberStates, enumerators_from<MemberState::kActive>()),
              "each state is on the list");

std::string_view name_of(MemberState state) {
  switch (state) {
    case MemberState::kActive:
      return "active";
    case MemberState::kRetiring:
      return "retiring";
    case MemberState::kRetired:
      return "retired";
    case MemberState::kBlocked:
      return "blocked";
    case MemberState::kUnknown:
      return "unknown";
    case MemberState::kMismatched:
      return "mismatched";
  }
  ROTA_CHECK(false);
}

std::string_view name_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::kAccess:
      return "access";
    case TokenKind::kRefresh:
      return "refresh";
  }
  ROTA_CHECK(false);
}

std::string_view name_of(TokenStatus status) {
  switch (status) {
    case TokenStatus::kCurrent:
      return "current";
    case TokenStatus::kSuperseded:
      return "superseded";
    case TokenStatus::kRevoking:
      return "revoking";
    case TokenStatus::kMemberGone:
      return "member_gone";
  }
  ROTA_CHECK(false);
}

std::string_view name_of(CallFate fate) {
  switch (fate) {
    case CallFate::kOpen:
      return "open";
    case CallFate::kAnswered:
      return "answered";
    case CallFate::kNotSent:
      return "not_sent";
    case CallFate::kUnknown:
      return "unknown";
  }
  ROTA_CHECK(false);
}

void sort_notes(std::vector<AuditNote>& notes) {
  std::ranges::sort(notes, [](const AuditNote& a, const AuditNote& b) {
    return std::tie(a.at, a.order) < std::tie(b.at, b.order);
  });
}

std::string_view name_of(AuditEvent event) {
  switch (event) {
    case AuditEvent::kTokenFetched:
      return "token_fetched";
    case AuditEvent::kTokenIssued:
      return "token_issued";
    case AuditEvent::kTokenRefreshed:
      return "token_refreshed";
    case AuditEvent::kPairRenewed:
      return "pair_renewed";
    case AuditEvent::kTokenRevoked:
      return "token_revoked";
    case AuditEvent::kRevocationFailed:
      return "revocation_failed";
    case AuditEvent::kRevocationOver:
      return "revocation_over";
    case AuditEvent::kMemberRetired:
      return "member_retired";
    case AuditEvent::kMemberReturned:
      return "member_returned";
    case AuditEvent::kMemberBlocked:
      return "member_blocked";
    case AuditEvent::kMemberReinstated:
      return "member_reinstated";
    case AuditEvent::kMemberMismatched:
      return "member_mismatched";
    case AuditEvent::kRosterApplied:
      return "roster_applied";
    case AuditEvent::kPlanHeld:
      return "plan_held";
    case AuditEvent::kPlanApproved:
      return "plan_approved";
    case AuditEvent::kReloaded:
      return "reloaded";
    case AuditEvent::kReloadFailed:
      return "reload_failed";
    case AuditEvent::kGrantsChanged:
      return "grants_changed";
    case AuditEvent::kAppTokenChanged:
      return "app_token_changed";
    case AuditEvent::kRotateAsked:
      return "rotate_asked";
    case AuditEvent::kRevokeAsked:
      return "revoke_asked";
    case AuditEvent::kReinstateAsked:
      return "reinstate_asked";
    case AuditEvent::kRevokeAllAsked:
      return "revoke_all_asked";
    case AuditEvent::kReloadAsked:
      return "reload_asked";
    case AuditEvent::kApproveAsked:
      return "approve_asked";
    case AuditEvent::kStarted:
      return "started";
    case AuditEvent::kStopped:
      return "stopped";
    case AuditEvent::kEnrolled:
      return "enrolled";
    case AuditEvent::kEnrolmentEnded:
      return "enrolment_ended";
    case AuditEvent::kSignedOut:
      return "signed_out";
    case AuditEvent::kSignOutAsked:
      return "sign_out_asked";
    case AuditEvent::kEnrolAsked:
      return "enrol_asked";
    case AuditEvent::kEnrolmentEndAsked:
      return "enrolment_end_asked";
    case AuditEvent::kRemovalsLimited:
      return "removals_limited";
    case AuditEvent::kHandleRevoked:
      return "handle_revoked";
    case AuditEvent::kClientRefused:
      return "client_refused";
    case AuditEvent::kRemovalsLiftAsked:
      return "removals_lift_asked";
    case AuditEvent::kHandleRevokeAsked:
      return "handle_revoke_asked";
    case AuditEvent::kTokenRevokeAsked:
      return "token_revoke_asked";
    case AuditEvent::kBackupAsked:
      return "backup_asked";
    case AuditEvent::kRestored:
      return "restored";
    case AuditEvent::kBreakerOpened:
      return "breaker_opened";
    case AuditEvent::kBreakerClosed:
      return "breaker_closed";
    case AuditEvent::kAppTokenRefused:
      return "app_token_refused";
    case AuditEvent::kAppTokenAccepted:
      return "app_token_accepted";
  }
  ROTA_CHECK(false);
}

AuditShare share_of(AuditEvent event) {
  switch (event) {
    case AuditEvent::kTokenFetched:
      return AuditShare::kFetches;
    case AuditEvent::kTokenIssued:
    case AuditEvent::kTokenRefreshed:
    case AuditEvent::kPairRenewed:
    case AuditEvent::kTokenRevoked:
    case AuditEvent::kRevocationFailed:
    case AuditEvent::kRevocationOver:
    case AuditEvent::kEnrolled:
    case AuditEvent::kEnrolmentEnded:
    case AuditEvent::kSignedOut:
    case AuditEvent::kHandleRevoked:
    case AuditEvent::kSignOutAsked:
    case AuditEvent::kEnrolAsked:
    case AuditEvent::kEnrolmentEndAsked:
    case AuditEvent::kHandleRevokeAsked:
    case AuditEvent::kTokenRevokeAsked:
      return AuditShare::kRotations;
    case AuditEvent::kMemberRetired:
    case AuditEvent::kMemberReturned:
    case AuditEvent::kMemberBlocked:
    case AuditEvent::kMemberReinstated:
    case AuditEvent::kMemberMismatched:
    case AuditEvent::kRosterApplied:
    case AuditEvent::kPlanHeld:
    case AuditEvent::kPlanApproved:
    case AuditEvent::kReloaded:
    case AuditEvent::kReloadFailed:
    case AuditEvent::kGrantsChanged:
    case AuditEvent::kAppTokenChanged:
    case AuditEvent::kRotateAsked:
    case AuditEvent::kRevokeAsked:
    case AuditEvent::kReinstateAsked:
    case AuditEvent::kRevokeAllAsked:
    case AuditEvent::kReloadAsked:
    case AuditEvent::kApproveAsked:
    case AuditEvent::kStarted:
    case AuditEvent::kStopped:
    case AuditEvent::kRemovalsLimited:
    case AuditEvent::kClientRefused:
    case AuditEvent::kRemovalsLiftAsked:
    case AuditEvent::kBackupAsked:
    case AuditEvent::kRestored:
    case AuditEvent::kBreakerOpened:
    case AuditEvent::kBreakerClosed:
    case AuditEvent::kAppTokenRefused:
    case AuditEvent::kAppTokenAccepted:
      return AuditShare::kDeeds;
  }
  ROTA_CHECK(false);
}

}  // namespace rota
