#pragma once

#include <sodium.h>

#include <string_view>

#include "base/fingerprint.h"

namespace rota {

// The fingerprint of a text that comes in pieces, as fingerprint_of() gives it for the whole text.
class FingerprintBuilder {
 public:
  FingerprintBuilder();
  void add(std::string_view piece);
  Fingerprint finish();  // call it once, after the last piece

 private:
  crypto_hash_sha256_state state_{};
};

}  // namespace rota
