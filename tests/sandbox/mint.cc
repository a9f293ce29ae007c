#include "sandbox/mint.h"

#include <fmt/format.h>
#include <sodium.h>

#include <boost/json.hpp>
#include <chrono>

namespace rota::sandbox {
namespace {

std::string base64url(std::span<const unsigned char> bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
  text.pop_back();  // the terminating zero
  return text;
}

std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

std::string quoted_or_null(std::string_view text) {
  if (text.empty()) return "null";
  return boost::json::serialize(boost::json::string(text));
}

}  // namespace

Mint::Mint(std::uint64_t seed) : random_(seed) { fill(key_); }

void Mint::fill(std::span<unsigned char> bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % sizeof word == 0) word = random_.next();
    bytes[i] = static_cast<unsigned char>(word & 0xffU);
    word >>= 8U;
  }
}

std::string Mint::uuid() {
  const std::uint64_t a = random_.next();
  const std::uint64_t b = random_.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32U, (a >> 16U) & 0xffffU,
                     a & 0xfffU, 0x8000U | ((b >> 48U) & 0x3fffU), b & 0xffff'ffff'ffffU);
}

std::string Mint::access_token(const Claims& claims) {
  const auto exp = std::chrono::floor<std::chrono::seconds>(claims.expires_at);
  const std::string payload = fmt::format(
      R"({{"community_id":{},"community_member_id":{},"sso_user_id":{},"exp":{},"jti":"{}",)"
      R"("type":"headless_member_token"}})",
      claims.community_id, claims.community_member_id, quoted_or_null(claims.sso_user_id),
      exp.time_since_epoch().count(), uuid());
  std::string token = base64url(bytes_of(R"({"alg":"RS256"})"));
  token += '.';
  token += base64url(bytes_of(payload));
  // As long as an RSA signature of 2048 bits, and made from the key and what is signed.
  constexpr std::size_t kSignatureBytes = 256;
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> seed{};
  static_assert(seed.size() == randombytes_SEEDBYTES);
  const auto signed_part = bytes_of(token);
  crypto_auth_hmacsha256(seed.data(), signed_part.data(), signed_part.size(), key_.data());
  std::array<unsigned char, kSignatureBytes> signature{};
  randombytes_buf_deterministic(signature.data(), signature.size(), seed.data());
  token += '.';
  token += base64url(signature);
  return token;
}

std::string Mint::refresh_token() {
  std::array<unsigned char, 32> bytes{};
  fill(bytes);
  return base64url(bytes);
}

}  // namespace rota::sandbox
