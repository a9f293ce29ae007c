#pragma once

#include <cstdint>

#include "base/result.h"
#include "sqlite/database.h"

namespace rota {

// Whether a database has exactly the tables, indexes and triggers that Rota makes for this version:
// none missing, none changed, none besides. A trigger or view that somebody planted would run
// within our own statements. To be asked before the first write.
//   kCorrupt   names the first object that differs
Result<void> require_our_schema(Database& database, std::int64_t version);

}  // namespace rota
