#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rota {

// The first 64 bits of a token's SHA-256. Clients send it (`refused=`) to name a token without
// showing the token.
using Fingerprint = std::uint64_t;

Fingerprint fingerprint_of(std::string_view token);

// 16 lower-case hex digits.
std::string format_fingerprint(Fingerprint value);
// Reads exactly 16 hex digits of either case; nullopt for any other text.
std::optional<Fingerprint> parse_fingerprint(std::string_view hex);

}  // namespace rota
