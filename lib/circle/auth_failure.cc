#include "circle/auth_failure.h"

#include <utility>

#include "base/check.h"

namespace rota {
namespace {

AuthFailureKind kind_of(TransientReason reason) {
  switch (reason) {
    case TransientReason::kNotSent:
    case TransientReason::kNotProcessed:
      return AuthFailureKind::kNotSent;
    case TransientReason::kNoReply:
      return AuthFailureKind::kNoReply;
    case TransientReason::kUnclearReply:
    case TransientReason::kUnclear401:
      return AuthFailureKind::kUnclearReply;
    case TransientReason::kServerError:
      return AuthFailureKind::kServerError;
  }
  ROTA_CHECK(false);
}

struct ToFailure {
  AuthFailure operator()(const MemberUnknown&) const {
    return {AuthFailureKind::kMemberUnknown, "Circle has no such member", {}};
  }
  AuthFailure operator()(const RefreshTokenDead&) const {
    return {AuthFailureKind::kRefreshTokenDead, "the refresh token is expired or not found", {}};
  }
  AuthFailure operator()(const AppTokenRefused&) const {
    return {AuthFailureKind::kAppTokenRefused, "Circle refuses the app token", {}};
  }
  AuthFailure operator()(const NotEligible&) const {
    return {AuthFailureKind::kNotEligible, "the community has no headless access", {}};
  }
  AuthFailure operator()(const Throttled& throttled) const {
    return {AuthFailureKind::kThrottled, "Circle asks for a pause", throttled.after};
  }
  AuthFailure operator()(const Transient& transient) const {
    return {kind_of(transient.reason), transient.why, {}, transient.symptom.status};
  }
  // The success of another kind of call.
  template <class Other>
  AuthFailure operator()(const Other&) const {
    return {AuthFailureKind::kUnclearReply, "a reply that does not belong to this call", {}};
  }
};

std::unexpected<AuthFailure> failure_from(const Outcome& outcome) {
  return std::unexpected(std::visit(ToFailure{}, outcome));
}

}  // namespace

std::string_view name_of(AuthFailureKind kind) {
  switch (kind) {
    case AuthFailureKind::kInvalidArgument:
      return "invalid_argument";
    case AuthFailureKind::kMemberUnknown:
      return "member_unknown";
    case AuthFailureKind::kRefreshTokenDead:
      return "refresh_token_dead";
    case AuthFailureKind::kAppTokenRefused:
      return "app_token_refused";
    case AuthFailureKind::kNotEligible:
      return "not_eligible";
    case AuthFailureKind::kThrottled:
      return "throttled";
    case AuthFailureKind::kNotSent:
      return "not_sent";
    case AuthFailureKind::kNoReply:
      return "no_reply";
    case AuthFailureKind::kUnclearReply:
      return "unclear_reply";
    case AuthFailureKind::kServerError:
      return "server_error";
  }
  ROTA_CHECK(false);
}

AuthResult<TokenPair> pair_from(Outcome outcome) {
  if (auto* issued = std::get_if<Issued>(&outcome)) return std::move(issued->pair);
  return failure_from(outcome);
}

AuthResult<RefreshedToken> refreshed_from(Outcome outcome) {
  if (auto* refreshed = std::get_if<Refreshed>(&outcome)) {
    return RefreshedToken{std::move(refreshed->access), std::move(refreshed->refresh)};
  }
  return failure_from(outcome);
}

AuthResult<Revocation> revocation_from(const Outcome& outcome) {
  if (std::holds_alternative<Revoked>(outcome)) return Revocation::kRevoked;
  if (std::holds_alternative<AlreadyDead>(outcome)) return Revocation::kAlreadyDead;
  if (std::holds_alternative<MemberGone>(outcome)) return Revocation::kMemberGone;
  return failure_from(outcome);
}

}  // namespace rota
