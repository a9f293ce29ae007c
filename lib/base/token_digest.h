#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rota {

// The SHA-256 of a client's bearer token. Only this is on record, never the token. No secret:
// nobody finds the token of 256 random bits from it.
struct TokenDigest {
  static constexpr std::size_t kBytes = 32;

  std::array<std::uint8_t, kBytes> bytes{};

  bool operator==(const TokenDigest&) const = default;
};

TokenDigest digest_of(std::string_view token);
// Takes the same time whatever the bytes are.
bool same_in_constant_time(const TokenDigest& a, const TokenDigest& b);

// 64 lower-case hex digits.
std::string format_digest(const TokenDigest& digest);
// Reads exactly 64 hex digits of either case; nullopt for any other text.
std::optional<TokenDigest> parse_digest(std::string_view hex);

}  // namespace rota
