#pragma once

#include <cstdint>

#include "base/result.h"
#include "sqlite/database.h"

namespace rota {

// Checks that a database has exactly the tables, indexes and triggers that Rota makes for this
// version: none missing, none changed, none added. A trigger or view that somebody planted would
// run as part of our own statements. Call this before the first write.
//   kCorrupt   some object differs; the message names the first one
Result<void> require_our_schema(Database& database, std::int64_t version);

}  // namespace rota
