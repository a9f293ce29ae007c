#pragma once

#include "base/time.h"
#include "circle/excerpt.h"
#include "circle/http.h"
#include "model/outcome.h"

namespace rota {

// What a reply to a call means, by its status and its words together (P5). Whatever is not one of
// the replies that Circle's OpenAPI description lists for this very call is Transient: it discards
// no token, acknowledges no revocation, and marks no member unknown.
//
// The choices behind the table, for whoever reads it against the description:
//  - Only 204 acknowledges a revocation. A 200 there is not Circle's word.
//  - AlreadyDead for an access token means that it can never be accepted again: Circle calls it
//    invalid, expired, or not found (which is what it says of a revoked one). That its community
//    was not found is no such word: it is asked again until the token has expired.
//  - MemberGone is Circle saying, with 422 or with 401, that the token's member was not found: it
//    has removed the person. Nothing was revoked, and nothing can be used either, unless Circle
//    restores the member before the token has expired.
//  - kServerError is Circle saying that this call failed (422, 5xx, or that our request was wrong),
//    in its own error shape. A 5xx in other words is a proxy's: kUnclearReply, for behind it the
//    call may have had its effect.
//  - A 403 in Circle's error shape has one meaning on every call. So has a 401 on an issue call, as
//    long as it is not an HTML page, for Circle's API never answers with one. Known words about
//    one token or one member are no such reply.
//  - Known words about one token or one member mark a Transient as `about_one`, whatever their
//    status and endpoint, so that a few bad members never look like a Circle that fails (P8).
//
// `wall_now` (this machine's clock) serves a Retry-After date only where the reply has no Date.
// No text in the result repeats a secret that was `sent`. Pure.
Reply classify(CallKind kind, const HttpReply& reply, WallTime wall_now,
               const SentSecrets& sent = {});

// The longest pause that a Retry-After can ask for: more is taken as this. A 5xx may be any proxy's
// word, so it is believed no longer than tokens are refreshed ahead of their end by default.
inline constexpr Duration kRetryAfterMax = std::chrono::hours{1};
inline constexpr Duration kServerRetryAfterMax = std::chrono::minutes{10};

}  // namespace rota
