#pragma once

#include "circle/http.h"
#include "circle/request.h"

namespace rota {

// Writes a call as Circle's OpenAPI description has it:
//
//   issue           POST  /api/v1/headless/auth_token             one of {"community_member_id":
//   42},
//                                                     {"email": "…"}, {"sso_user_id": "…"}
//   refresh         PATCH /api/v1/headless/access_token/refresh   {"refresh_token": "…"}
//   revoke_refresh  POST  /api/v1/headless/refresh_token/revoke   {"refresh_token": "…"}
//   revoke_access   POST  /api/v1/headless/access_token/revoke    {"access_token": "…"}
//
// The request must have its token (every kind but kIssue) or its member (kIssue): without one it is
// a bug of the caller. Pure.
HttpRequest encode(const AuthRequest& request);

}  // namespace rota
