#include "base/text.h"

#include <algorithm>

namespace rota {
namespace {

constexpr std::string_view kDigits = "0123456789";

// Takes the digits off the front of `text`, and returns them without leading zeros.
std::string_view take_digits(std::string_view& text) {
  const std::string_view run = text.substr(0, text.find_first_not_of(kDigits));
  text.remove_prefix(run.size());
  return run.substr(std::min(run.find_first_not_of('0'), run.size()));
}

}  // namespace

std::string shortened(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  text.resize(end);
  return text + "…";
}

std::string in_quotes(std::string_view text) {
  // Of a long text no more is copied than may be shown.
  return '"' + shortened(std::string(text.substr(0, kQuotedBytesMax + 1)), kQuotedBytesMax) + '"';
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += R"('\'')";
    } else {
      word += c;
    }
  }
  return word + '\'';
}

std::strong_ordering natural_order(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a;
  const std::string_view whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (kDigits.contains(a.front()) && kDigits.contains(b.front())) {
      const std::string_view left = take_digits(a);
      const std::string_view right = take_digits(b);
      if (left.size() != right.size()) return left.size() <=> right.size();
      if (const auto order = left <=> right; order != 0) return order;
    } else if (a.front() != b.front()) {
      return static_cast<unsigned char>(a.front()) <=> static_cast<unsigned char>(b.front());
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (const auto order = a.size() <=> b.size(); order != 0) return order;
  return whole_a <=> whole_b;  // 01 and 1
}

}  // namespace rota
