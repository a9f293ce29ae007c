#include "base/fingerprint.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>

#include "base/fingerprint_builder.h"

namespace rota {
namespace {

constexpr std::size_t kHexDigits = 16;

using Digest = std::array<unsigned char, crypto_hash_sha256_BYTES>;

Fingerprint first_bytes_of(const Digest& digest) {
  Fingerprint value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = (value << 8U) | digest[i];
  return value;
}

}  // namespace

FingerprintBuilder::FingerprintBuilder() { crypto_hash_sha256_init(&state_); }

void FingerprintBuilder::add(std::string_view piece) {
  crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(piece.data()),
                            piece.size());
}

Fingerprint FingerprintBuilder::finish() {
  Digest digest{};
  crypto_hash_sha256_final(&state_, digest.data());
  return first_bytes_of(digest);
}

// By libcrypto, which uses the processor's instructions for SHA-256: libsodium takes several times
// as long, and a start hashes every token on record. Its settings can leave it without the digest.
Fingerprint fingerprint_of(std::string_view token) {
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Digest digest{};
  if (kSha256 != nullptr &&
      EVP_Digest(token.data(), token.size(), digest.data(), nullptr, kSha256, nullptr) == 1) {
    return first_bytes_of(digest);
  }
  FingerprintBuilder builder;
  builder.add(token);
  return builder.finish();
}

std::string format_fingerprint(Fingerprint value) { return fmt::format("{:016x}", value); }

std::optional<Fingerprint> parse_fingerprint(std::string_view hex) {
  Fingerprint value = 0;
  const char* end = hex.data() + hex.size();
  if (hex.size() != kHexDigits) return std::nullopt;
  const auto [stop, status] = std::from_chars(hex.data(), end, value, kHexDigits);
  if (status != std::errc{} || stop != end || hex[0] == '-') return std::nullopt;
  return value;
}

}  // namespace rota
