#pragma once

#include <cstdint>

#include "base/result.h"
#include "sqlite/database.h"

namespace rota {

// Marks a SQLite file as Rota's, in its header; in ASCII "Rota".
inline constexpr std::uint32_t kApplicationId = 0x526f7461;

// The newest schema that this program writes and reads (user_version in the header).
std::int64_t schema_version();

// Which counter a row of next_id holds.
enum class IdKind { kMember = 1, kToken = 2, kCall = 3 };

// Brings an open database to the version `target`, each step in a transaction of its own. Does
// nothing if the database has that version or a later one.
Result<void> migrate(Database& database, std::int64_t target = schema_version());

}  // namespace rota
