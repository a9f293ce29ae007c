#pragma once

#include "base/result.h"
#include "base/secret.h"

namespace rota {

// The key of all login handles (api/handle.h), derived from the store key: nodes with one store key
// take each other's handles, and with another store key all handles are dead. kInvalid if the store
// key does not have kStoreKeyBytes bytes; kIo if libsodium cannot start.
Result<Secret> derive_handle_key(const Secret& store_key);

}  // namespace rota
