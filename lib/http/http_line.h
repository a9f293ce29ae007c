#pragma once

#include <array>
#include <string_view>

namespace rota {

// The bytes and lines that heads and chunked bodies are made of. Pure.

using ByteSet = std::array<bool, 256>;

template <class Predicate>
constexpr ByteSet byte_set(Predicate predicate) {
  ByteSet set{};
  for (unsigned i = 0; i < set.size(); ++i) set[i] = predicate(i);
  return set;
}

constexpr bool is_alnum(unsigned c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool is_one_of(unsigned c, std::string_view set) {
  return c < 0x80 && set.contains(static_cast<char>(c));
}

bool all_in(std::string_view text, const ByteSet& set);
// RFC 9110, 5.6.2.
bool is_token(std::string_view text);

enum class LineTaken { kWhole, kPartial, kBad };

// Takes one line with its CR LF off `rest`; `line` has it without them. kBad: a control byte other
// than the tab, or a CR or LF alone.
LineTaken take_line(std::string_view& rest, std::string_view& line);

}  // namespace rota
