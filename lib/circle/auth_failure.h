#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/outcome.h"

namespace rota {

// Why a call of the SDK did not give what was asked for.
enum class AuthFailureKind {
  kInvalidArgument,   // not a value that Circle could know; nothing was sent
  kMemberUnknown,     // Circle has no such member
  kRefreshTokenDead,  // expired, revoked or not found: ask for a new pair
  kAppTokenRefused,   // the app token itself, so every call is refused
  kNotEligible,       // the community has no headless access
  kThrottled,         // wait for retry_after, or a while where there is none
  kNotSent,           // the call certainly had no effect; may be tried again
  kNoReply,           // it may have had its effect, but no reply told
  kUnclearReply,      // a reply that is not one of Circle's; as kNoReply
  kServerError,       // Circle says that it failed
};

struct AuthFailure {
  AuthFailureKind kind = AuthFailureKind::kNoReply;
  std::string message;                  // one line for people, no secret in it
  std::optional<Duration> retry_after;  // only with kThrottled, where Circle named a pause
};

// Each means that the token is of no use any more.
enum class Revocation {
  kRevoked,      // by this call
  kAlreadyDead,  // it had expired, was revoked before, or never existed
  kMemberGone,   // Circle has removed its member: not revoked, and of use again if Circle restores
                 // the member before the token expires
};

// What a refresh returns: an access token, and seldom more.
struct RefreshedToken : AccessToken {
  // Of a server that rotates refresh tokens: to be used from now on in place of the one given.
  std::optional<NewRefreshToken> new_refresh;
};

template <class T>
using AuthResult = std::expected<T, AuthFailure>;

std::string_view name_of(AuthFailureKind kind);

// An outcome as the SDK's methods return it; an outcome that the call cannot have is a failure of
// kind kUnclearReply. Pure.
AuthResult<TokenPair> pair_from(Outcome outcome);
AuthResult<RefreshedToken> refreshed_from(Outcome outcome);
AuthResult<Revocation> revocation_from(const Outcome& outcome);

}  // namespace rota
