#pragma once

#include "store/token_store.h"

namespace rota {

// Whether the entry is one of those that were asked for, its place in the order apart. `token`: how
// the trail names query.token; empty: it is about any token or none. The same for every store.
bool wanted_by(const AuditQuery& query, std::string_view token, const AuditEntry& entry);

}  // namespace rota
