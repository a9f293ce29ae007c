#include "http/http_line.h"

#include <algorithm>
#include <cstddef>

namespace rota {
namespace {

// Inside a line: everything but control bytes. The tab is allowed.
constexpr ByteSet kLineByte =
    byte_set([](unsigned c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
constexpr ByteSet kTokenByte =
    byte_set([](unsigned c) { return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); });

}  // namespace

bool all_in(std::string_view text, const ByteSet& set) {
  return std::ranges::all_of(text, [&set](char c) { return set[static_cast<unsigned char>(c)]; });
}

bool is_token(std::string_view text) { return !text.empty() && all_in(text, kTokenByte); }

LineTaken take_line(std::string_view& rest, std::string_view& line) {
  std::size_t i = 0;
  while (i < rest.size() && kLineByte[static_cast<unsigned char>(rest[i])]) ++i;
  if (i == rest.size()) return LineTaken::kPartial;
  if (rest[i] != '\r') return LineTaken::kBad;
  if (i + 1 == rest.size()) return LineTaken::kPartial;
  if (rest[i + 1] != '\n') return LineTaken::kBad;
  line = rest.substr(0, i);
  rest.remove_prefix(i + 2);
  return LineTaken::kWhole;
}

}  // namespace rota
