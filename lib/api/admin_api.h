#pragma once

#include "api/routes.h"

namespace rota {

// Answers the routes that only the admin socket has. The caller has checked that the peer may
// administer. Orders are noted for the audit trail. The services must outlive a LaterReply. Errors
// of AdminService become: no such member 404 member_unknown · kInvalid 409 not_possible · kConfig
// 422 config_invalid · kBusy, kIo, kFull 503 unavailable · kCorrupt, kBug 500 internal.
Answer answer_status(const Asking& asking, const AdminServices& services);
Answer answer_members(const Asking& asking, const AdminServices& services);
Answer answer_member(const Asking& asking, const AdminServices& services);
Answer start_lift_removals(const Asking& asking, const AdminServices& services);

// The replies of these come later.
Answer start_rotation(const Asking& asking, const AdminServices& services);
Answer start_revocation(const Asking& asking, const AdminServices& services);
Answer start_reinstatement(const Asking& asking, const AdminServices& services);
Answer start_revoke_all(const Asking& asking, const AdminServices& services);
Answer start_plan(const Asking& asking, const AdminServices& services);
Answer start_reload(const Asking& asking, const AdminServices& services);
Answer start_backup(const Asking& asking, const AdminServices& services);
Answer start_audit(const Asking& asking, const AdminServices& services);

}  // namespace rota
