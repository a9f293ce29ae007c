#include "sqlite/handle_key.h"

#include <sodium.h>

#include <string>
#include <utility>

#include "sqlite/sealer.h"

namespace rota {
namespace {

// Not that of the sealer, so this is none of its keys.
constexpr char kDerivation[crypto_kdf_CONTEXTBYTES + 1] = "RotaHndl";
constexpr std::uint64_t kHandleSubkey = 1;
constexpr std::size_t kHandleKeyBytes = 32;

}  // namespace

Result<Secret> derive_handle_key(const Secret& store_key) {
  if (sodium_init() < 0) return fail(ErrorKind::kIo, "libsodium cannot start: no randomness");
  if (store_key.size() != kStoreKeyBytes) {
    return fail(ErrorKind::kInvalid, "a store key has 32 bytes");
  }
  std::string key(kHandleKeyBytes, '\0');
  crypto_kdf_derive_from_key(reinterpret_cast<unsigned char*>(key.data()), key.size(),
                             kHandleSubkey, kDerivation,
                             reinterpret_cast<const unsigned char*>(store_key.reveal().data()));
  return Secret::take(std::move(key));
}

}  // namespace rota
