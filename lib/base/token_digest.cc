#include "base/token_digest.h"

#include <fmt/format.h>
#include <sodium.h>

namespace rota {

TokenDigest digest_of(std::string_view token) {
  TokenDigest digest;
  static_assert(TokenDigest::kBytes == crypto_hash_sha256_BYTES);
  crypto_hash_sha256(digest.bytes.data(), reinterpret_cast<const unsigned char*>(token.data()),
                     token.size());
  return digest;
}

bool same_in_constant_time(const TokenDigest& a, const TokenDigest& b) {
  return sodium_memcmp(a.bytes.data(), b.bytes.data(), TokenDigest::kBytes) == 0;
}

std::string format_digest(const TokenDigest& digest) {
  std::string hex;
  for (const std::uint8_t byte : digest.bytes) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::optional<TokenDigest> parse_digest(std::string_view hex) {
  TokenDigest digest;
  std::size_t bytes = 0;
  const char* end = nullptr;
  if (hex.size() != 2 * TokenDigest::kBytes ||
      sodium_hex2bin(digest.bytes.data(), digest.bytes.size(), hex.data(), hex.size(), nullptr,
                     &bytes, &end) != 0 ||
      bytes != TokenDigest::kBytes || end != hex.data() + hex.size()) {
    return std::nullopt;
  }
  return digest;
}

}  // namespace rota
