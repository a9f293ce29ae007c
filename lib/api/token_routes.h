#pragma once

#include "api/routes.h"
#include "http/query.h"

namespace rota {

// GET /v1/token: what token_api.h decides. Tells the rotation that the member is in use, and which
// token Circle refused; a client that waits tells it that by waiting.
Answer answer_token(const Asking& asking, const TokenServices& services);

// What decide_token() leaves to its caller: tells the rotation of a use and of a refused token. The
// engine sees clients that wait anyway.
void note_use(const TokenQuery& query, const Answer& answer, TokenService& tokens);

// GET /v1/authorization: the same, answered as TokenShape::kAuthorization.
Answer answer_authorization(const Asking& asking, const TokenServices& services);

// GET /v1/watch: all that is granted to the peer, or the members that it names. 403 if one of them
// is not granted to it, or nothing is.
Answer answer_watch(const Asking& asking, const TokenServices& services);

}  // namespace rota
