#pragma once

#include "circle/http.h"
#include "circle/request.h"

namespace rota {

// Writes a call as Circle's OpenAPI description has it, with these bodies:
//
//   issue           POST  /api/v1/headless/auth_token             {"community_member_id": 42},
//                                                                 {"email": "…"} or
//                                                                 {"sso_user_id": "…"}
//   refresh         PATCH /api/v1/headless/access_token/refresh   {"refresh_token": "…"}
//   revoke_refresh  POST  /api/v1/headless/refresh_token/revoke   {"refresh_token": "…"}
//   revoke_access   POST  /api/v1/headless/access_token/revoke    {"access_token": "…"}
//
// A kIssue request must have its member, any other its token: aborts without a token.
HttpRequest encode(const AuthRequest& request);

}  // namespace rota
