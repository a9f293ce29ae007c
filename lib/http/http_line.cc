#include "http/http_line.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace rota {
namespace {

// Inside a line: everything but control bytes. The tab is allowed.
constexpr ByteSet kLineByte =
    byte_set([](unsigned c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
constexpr ByteSet kTokenByte =
    byte_set([](unsigned c) { return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); });

// Marks the first control byte of eight with its top bit, and perhaps bytes after it. What counts
// as the first has the lowest bits. Subtracting borrows from a byte's top bit only if the byte is
// less.
std::uint64_t mark_control_byte(std::uint64_t bytes) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  constexpr std::uint64_t kTopBits = 0x80 * kEach;
  const std::uint64_t below_space = (bytes - 0x20 * kEach) & ~bytes;
  const std::uint64_t zero_if_del = bytes ^ (0x7f * kEach);
  const std::uint64_t is_del = (zero_if_del - kEach) & ~zero_if_del;
  return (below_space | is_del) & kTopBits;
}

// How many bytes come before the first that may not stand inside a line. Eight at a time: each
// request has a hundred of them and more.
std::size_t line_length(std::string_view text) {
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + sizeof word <= text.size();) {
    std::memcpy(&word, text.data() + i, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    const std::uint64_t mark = mark_control_byte(word);
    if (mark == 0) {
      i += sizeof word;
      continue;
    }
    constexpr int kBitsInByte = 8;
    i += static_cast<std::size_t>(std::countr_zero(mark) / kBitsInByte);
    if (!kLineByte[static_cast<unsigned char>(text[i])]) return i;
    ++i;  // a tab
  }
  while (i < text.size() && kLineByte[static_cast<unsigned char>(text[i])]) ++i;
  return i;
}

}  // namespace

bool all_in(std::string_view text, const ByteSet& set) {
  return std::ranges::all_of(text, [&set](char c) { return set[static_cast<unsigned char>(c)]; });
}

bool is_token(std::string_view text) { return !text.empty() && all_in(text, kTokenByte); }

LineTaken take_line(std::string_view& rest, std::string_view& line) {
  const std::size_t i = line_length(rest);
  if (i == rest.size()) return LineTaken::kPartial;
  if (rest[i] != '\r') return LineTaken::kBad;
  if (i + 1 == rest.size()) return LineTaken::kPartial;
  if (rest[i + 1] != '\n') return LineTaken::kBad;
  line = rest.substr(0, i);
  rest.remove_prefix(i + 2);
  return LineTaken::kWhole;
}

}  // namespace rota
