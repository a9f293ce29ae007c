#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace rota {

inline constexpr std::size_t kTokenBytesMax = 8 * 1024;

// Whether a text can be a bearer token: not empty, at most kTokenBytesMax bytes, and visible ASCII
// only, so that it cannot break out of a header line.
constexpr bool plausible_token(std::string_view text) {
  return !text.empty() && text.size() <= kTokenBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace rota
