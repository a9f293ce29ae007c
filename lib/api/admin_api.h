#pragma once

#include "api/answer.h"
#include "api/services.h"
#include "http/http_head.h"

namespace rota {

// Answers the routes that only the admin socket has, such as /v1/status. The caller has checked
// that the peer may administer. Orders are noted for the audit trail. `admin` must outlive a
// LaterReply. Its errors become: no such member 404 member_unknown · kInvalid 409 not_possible ·
// kConfig 422 config_invalid · kBusy, kIo, kFull 503 unavailable · kCorrupt, kBug 500 internal.
Answer answer_admin(const RequestHead& request, const AuditCaller& caller, AdminService& admin);

}  // namespace rota
