#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/secret.h"
#include "base/time.h"

namespace rota {

// An access token as Circle gave it. `expires_at` is on Circle's clock.
struct AccessToken {
  SecretPtr value;
  WallTime expires_at;
};

// What an issue call returns.
struct TokenPair {
  AccessToken access;
  SecretPtr refresh;
  WallTime refresh_expires_at;
  std::int64_t community_member_id = 0;
  std::int64_t community_id = 0;
};

// The four calls of the Headless Auth API.
enum class CallKind { kIssue = 1, kRefresh = 2, kRevokeRefresh = 3, kRevokeAccess = 4 };

// Whether a call brings tokens.
constexpr bool rotates(CallKind kind) {
  return kind == CallKind::kIssue || kind == CallKind::kRefresh;
}

// Why a call settled nothing. Each is tried again; none says anything about a token or a member
// (P5).
enum class TransientReason {
  kNotSent,       // the request certainly never reached Circle: no doubt remains
  kNoReply,       // it may have reached Circle; its effect is unknown (P3)
  kUnclearReply,  // a reply without Circle's known words: HTML, truncated, no token in it
  kUnclear401,    // a 401 on a refresh with words that we do not know: an issue call settles it
  kServerError,   // Circle's own 5xx or 422 error about this call
  kNotProcessed,  // it reached the server, and the server says that it did nothing: no doubt
                  // remains
};

struct Issued {
  TokenPair pair;
};
// The new refresh token of a server that rotates refresh tokens at each refresh, as OAuth 2.1 says.
// Circle does not do so yet.
struct NewRefreshToken {
  SecretPtr value;
  std::optional<WallTime> expires_at;  // none if the reply does not say
};
struct Refreshed {
  AccessToken access;
  std::optional<NewRefreshToken> refresh{};  // replaces the one that was used
};
struct Revoked {};           // acknowledged by Circle now
struct AlreadyDead {};       // Circle's own words that nothing is left to revoke
struct MemberGone {};        // to a revocation: Circle has removed the token's member
struct MemberUnknown {};     // Circle has no such member
struct RefreshTokenDead {};  // expired, revoked or not found: issue a new pair
struct AppTokenRefused {};   // the app token itself is refused: every member is affected
struct NotEligible {};       // the whole community is refused (403)
struct Throttled {
  std::optional<Duration> after;  // Retry-After, if the reply had a usable one
};
// What anybody may be shown of a call that settled nothing. It names no member and quotes no text.
struct Symptom {
  enum class Kind {
    kNone,         // nothing is known, or nothing was tried
    kLookup,       // the name of Circle's host was not resolved
    kRefused,      // nobody listens at its address
    kUnreachable,  // no connection
    kTls,          // no connection that could be trusted
    kTimeout,
    kCutOff,  // the connection ended, or the reply was not HTTP
    kStatus,  // there was a reply, with `status`
  };
  Kind kind = Kind::kNone;
  int status = 0;

  bool operator==(const Symptom&) const = default;
};

struct Transient {
  TransientReason reason = TransientReason::kNoReply;
  std::string why;                  // one line for people, no secret in it
  std::optional<Duration> after{};  // Retry-After of a 5xx, if it had a usable one
  // Circle's known words say that the failure is about one token or one member. So it says nothing
  // about the others (P8).
  bool about_one = false;
  Symptom symptom{};
};

// What one reply means; classification is in circle/classify.h.
using Outcome = std::variant<Issued, Refreshed, Revoked, AlreadyDead, MemberGone, MemberUnknown,
                             RefreshTokenDead, AppTokenRefused, NotEligible, Throttled, Transient>;

// A call's outcome, with what every reply brings.
struct Reply {
  Outcome outcome;
  std::optional<WallTime> server_date;  // its Date header: whole seconds, on Circle's clock
};

std::string_view name_of(CallKind kind);
std::string_view name_of(const Outcome& outcome);
std::string_view outcome_name(std::size_t index);  // of the alternative at this index of Outcome
std::string_view name_of(TransientReason reason);
// One line for people: the outcome's name or, of a Transient, its reason and its `why`.
std::string describe(const Outcome& outcome);

// Why the call settled nothing; null if it settled something.
inline const Transient* transient(const Outcome& outcome) {
  return std::get_if<Transient>(&outcome);
}
// Whether the reply asks for a pause of all calls: a 429, or a 5xx with Retry-After.
inline bool asks_for_pause(const Outcome& outcome) {
  const Transient* failure = transient(outcome);
  return std::holds_alternative<Throttled>(outcome) || (failure != nullptr && failure->after);
}

}  // namespace rota
