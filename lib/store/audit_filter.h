#pragma once

#include "store/token_store.h"

namespace rota {

// Whether the entry is one that the query asks for, apart from `after` and `limit`. `token`: how
// the trail names query.token; empty if the query has none. Every store uses this.
bool wanted_by(const AuditQuery& query, std::string_view token, const AuditEntry& entry);

}  // namespace rota
