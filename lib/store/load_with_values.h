#pragma once

#include "base/result.h"
#include "store/token_store.h"

namespace rota {

// TokenStore::load(), and the values of all refresh tokens as well: for whoever carries tokens from
// one database into another. A token that the store no longer believes is left out, as load()
// leaves it out. Blocks on the disk; the errors of load() and open_tokens().
Result<Snapshot> load_with_values(TokenStore& store);

}  // namespace rota
