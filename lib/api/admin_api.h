#pragma once

#include "api/answer.h"
#include "api/services.h"
#include "http/http_head.h"

namespace rota {

// Answers what only the admin socket has, /v1/status and the like; the peer's right is checked
// before, and what it orders is noted for the audit trail. Errors of `admin` become: no such member
// 404 member_unknown · kInvalid 409 not_possible · kConfig 422 config_invalid · kBusy, kIo, kFull
// 503 unavailable · kCorrupt, kBug 500 internal.
Answer answer_admin(const RequestHead& request, const AuditCaller& caller, AdminService& admin);

}  // namespace rota
