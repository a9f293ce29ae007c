#pragma once

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

}  // namespace rota
