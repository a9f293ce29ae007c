#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace rota {

inline constexpr std::size_t kTokenBytesMax = 8 * 1024;

// Whether a text can be a bearer token: visible ASCII only, so that it fits on a header line and
// cannot break out of it, not empty, at most kTokenBytesMax bytes.
constexpr bool plausible_token(std::string_view text) {
  return !text.empty() && text.size() <= kTokenBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace rota
