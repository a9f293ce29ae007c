#pragma once

#include "base/time.h"
#include "circle/excerpt.h"
#include "circle/http.h"
#include "model/outcome.h"

namespace rota {

// What a reply to a call means, by its status and its words together (P5). A reply that Circle's
// OpenAPI description does not list for this kind of call is Transient: it discards no token,
// acknowledges no revocation, and marks no member unknown.
//
// Where the description leaves a choice, we read it like this:
//  - Only 204 acknowledges a revocation. A 200 there is not Circle's word.
//  - AlreadyDead for an access token means that Circle will never accept it again: Circle calls it
//    invalid, expired, or not found (its word for a revoked one). If Circle says that the token's
//    community was not found, the token may live: we ask again until it has expired.
//  - MemberGone: Circle says, with 422 or 401, that the token's member was not found: it has
//    removed the person. The token was not revoked, and nobody can use it unless Circle restores
//    the member before it expires.
//  - kServerError: Circle says in its own error shape that this call failed (422, 5xx, or that our
//    request was wrong). A 5xx in another shape comes from a proxy, and the call may have had its
//    effect behind it: kUnclearReply.
//  - A 403 in Circle's error shape means NotEligible on every call. A 401 on an issue call means
//    AppTokenRefused unless it is an HTML page, which Circle's API never sends. Neither holds for
//    known words about one token or one member.
//  - Known words about one token or one member mark a Transient as `about_one`, with any status and
//    on any call, so that a few bad members never look like an upstream that fails (P8).
//
// `wall_now`, this machine's clock, is used only for a Retry-After date in a reply without a Date.
// No text in the result repeats a secret in `sent`.
Reply classify(CallKind kind, const HttpReply& reply, WallTime wall_now,
               const SentSecrets& sent = {});

// The longest pause that a Retry-After can ask for; a longer one counts as this. A 5xx may come
// from any proxy, so its maximum is shorter: the default of refresh_ahead, so that a pause costs no
// token its refresh.
inline constexpr Duration kRetryAfterMax = std::chrono::hours{1};
inline constexpr Duration kServerRetryAfterMax = std::chrono::minutes{10};

}  // namespace rota
