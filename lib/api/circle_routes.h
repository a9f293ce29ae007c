#pragma once

#include "api/routes.h"

namespace rota {

// Circle's Headless Auth API, as its OpenAPI description has it, for programs that were written for
// it. Errors are in Circle's shape and, if it has words for them, in its words; with our "code".
//
//   POST  /api/v1/headless/auth_token             a fetch; enrols the member if the client may
//   PATCH /api/v1/headless/access_token/refresh   a fetch by handle
//   POST  /api/v1/headless/access_token/revoke    revokes that token at Circle: needs kSignOut
//   POST  /api/v1/headless/refresh_token/revoke   ends the handles of this member and holder
//
// A refresh token is a handle (handle.h). None of these stores anything or calls Circle for a
// member whose token lives, but for what RefusalGuess says.
Answer answer_auth_token(const Asking& asking, const TokenServices& services);
Answer answer_refresh(const Asking& asking, const TokenServices& services);
Answer start_access_revocation(const Asking& asking, const TokenServices& services);
Answer start_handle_revocation(const Asking& asking, const TokenServices& services);

// What settle_token() found, for a reply of these routes: a live token rather than an error if only
// a guess says that it was refused, and errors in Circle's words.
TokenOutcome settle_in_circles_words(const Asked& asked, TokenOutcome outcome,
                                     const TokenServices& services);

}  // namespace rota
