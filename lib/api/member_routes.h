#pragma once

#include "api/routes.h"

namespace rota {

// The routes of members that come and go by themselves. On the token socket and on listeners the
// rights of the peer's grants decide; who has none gets 403, whether or not there is such a member.

// PUT /v1/members/{key}: makes it a member in the name of the peer's grant. The body may be
// {"name":"…"}.
Answer answer_enrolment(const Asking& asking, const TokenServices& services);
// DELETE /v1/members/{key}: ends the enrolment that the peer's grant has made.
Answer start_own_removal(const Asking& asking, const TokenServices& services);
// POST /v1/members/{key}/sign-out: revokes its access tokens; it stays a member.
Answer start_sign_out(const Asking& asking, const TokenServices& services);

// The same for operators, on the admin socket: a removal ends all enrolments, whoever made them.
Answer start_removal(const Asking& asking, const AdminServices& services);
Answer start_signing_out(const Asking& asking, const AdminServices& services);

}  // namespace rota
