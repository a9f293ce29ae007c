#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace rota {

// At most so many bytes of it, and "…" where that is not all; no character of UTF-8 is cut through.
std::string shortened(std::string text, std::size_t bytes_max);

// What somebody wrote, for a message about it: in quotes, and shortened to kQuotedBytesMax.
inline constexpr std::size_t kQuotedBytesMax = 64;
std::string in_quotes(std::string_view text);

// `text` as one word of a POSIX shell, for a command that a message tells somebody to run.
std::string shell_word(std::string_view text);

// As a person sorts: each run of digits counts as a number, so "id:2" comes before "id:10". Only
// the same text is equal.
std::strong_ordering natural_order(std::string_view a, std::string_view b);
struct NaturalLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return natural_order(a, b) < 0; }
};

}  // namespace rota
