#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/outcome.h"

namespace rota {

// Why a call of the SDK did not bring what was asked for.
enum class AuthFailureKind {
  kInvalidArgument,   // not a value that Circle could know; nothing was sent
  kMemberUnknown,     // Circle has no such member
  kRefreshTokenDead,  // expired, revoked or not found: ask for a new pair
  kAppTokenRefused,   // the app token itself is refused, and so is every call
  kNotEligible,       // the community has no headless access
  kThrottled,         // wait for retry_after, or for a while if there is none
  kNotSent,           // the call certainly had no effect; it may be tried again
  kNoReply,           // no reply came; the call may have had its effect
  kUnclearReply,      // the reply is not one of Circle's; the call may have had its effect
  kServerError,       // Circle says that it failed
};

struct AuthFailure {
  AuthFailureKind kind = AuthFailureKind::kNoReply;
  std::string message;                  // one line for people, no secret in it
  std::optional<Duration> retry_after;  // only with kThrottled, if Circle named a pause
  int status = 0;                       // of the reply, with kUnclearReply and kServerError
};

// How a revocation succeeded. In every case nobody can use the token now.
enum class Revocation {
  kRevoked,      // by this call
  kAlreadyDead,  // it had expired, was revoked before, or never existed
  kMemberGone,   // Circle has removed the token's member. The token is not revoked: it works again
                 // if Circle restores the member before the token expires
};

// What a refresh returns: an access token, and from some servers a new refresh token.
struct RefreshedToken : AccessToken {
  // From a server that rotates refresh tokens: use this one from now on, not the old one.
  std::optional<NewRefreshToken> new_refresh;
};

template <class T>
using AuthResult = std::expected<T, AuthFailure>;

std::string_view name_of(AuthFailureKind kind);

// An outcome as the SDK's methods return it. An outcome that such a call cannot have is a
// kUnclearReply.
AuthResult<TokenPair> pair_from(Outcome outcome);
AuthResult<RefreshedToken> refreshed_from(Outcome outcome);
AuthResult<Revocation> revocation_from(const Outcome& outcome);

}  // namespace rota
