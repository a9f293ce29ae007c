#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

namespace rota {
namespace {

constexpr std::string_view kDigits = "0123456789";

// Takes the digits off the front of `text`, and returns them without leading zeros.
std::string_view take_digits(std::string_view& text) {
  const std::string_view run = text.substr(0, text.find_first_not_of(kDigits));
  text.remove_prefix(run.size());
  return run.substr(std::min(run.find_first_not_of('0'), run.size()));
}

constexpr char32_t kSupplementary = 0x10000;

struct Character {
  char32_t value = 0;
  std::size_t bytes = 1;
};

bool is_tail(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

// The first character of a text that is not empty; nullopt if its first byte begins no character.
std::optional<Character> first_character(std::string_view text) {
  constexpr unsigned kTailBits = 6;
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return Character{lead, 1};
  const std::size_t bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return std::nullopt;
  char32_t value = lead & (0xffU >> (bytes + 1));
  for (const char byte : text.substr(1, bytes - 1)) {
    if (!is_tail(byte)) return std::nullopt;
    value = (value << kTailBits) | (static_cast<unsigned char>(byte) & 0x3fU);
  }
  // UTF-8 forbids a longer form than needed, a surrogate, and a value past the last character.
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, kSupplementary};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kLeast.at(bytes) || surrogate || value > 0x10ffff) return std::nullopt;
  return Character{value, bytes};
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

// Unicode 15's general categories Cf, Zl and Zp.
constexpr std::array<std::pair<char32_t, char32_t>, 20> kUnseen{{
    {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
    {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x180e, 0x180e},
    {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},
    {0xfff9, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
}};

bool is_unseen(char32_t c) {
  if (c < 0x80) return is_control(c);
  return is_control(c) || std::ranges::any_of(kUnseen, [c](const auto& range) {
           return c >= range.first && c <= range.second;
         });
}

void append_byte(unsigned char byte, std::string& out) {
  fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
}

void append_escape(char32_t c, std::string& out) {
  if (c < kSupplementary) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    return;
  }
  const auto rest = static_cast<unsigned>(c - kSupplementary);  // as JSON has it, in two halves
  fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xd800U + (rest >> 10U),
                 0xdc00U + (rest & 0x3ffU));
}

// `escape` appends the escape of a character, and `invalid` that of a byte that is not UTF-8.
template <class Escape, class Invalid>
std::string escaped(std::string_view text, std::string_view kept, Escape escape, Invalid invalid) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    const std::size_t bytes = character ? character->bytes : 1;
    const std::string_view same = text.substr(0, bytes);
    if (!character) {
      invalid(static_cast<unsigned char>(text.front()), out);
    } else if (is_unseen(character->value) && (bytes > 1 || !kept.contains(text.front()))) {
      escape(character->value, out);
    } else {
      out += same;
    }
    text.remove_prefix(bytes);
  }
  return out;
}

bool is_lower(char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_lower(c) || is_upper(c); }

// Letters and digits only.
bool is_plain_word(std::string_view word) {
  constexpr std::size_t kLettersMax = 14;
  constexpr std::size_t kCapitalsMax = 10;
  constexpr std::size_t kNumberMax = 10;
  constexpr std::size_t kDigitsMax = 4;  // after letters
  const std::string_view letters = word.substr(0, word.find_first_of(kDigits));
  const std::string_view digits = word.substr(letters.size());
  if (digits.find_first_not_of(kDigits) != std::string_view::npos) return false;
  if (letters.empty()) return digits.size() <= kNumberMax;
  if (digits.size() > kDigitsMax || letters.size() > kLettersMax) return false;
  return std::ranges::all_of(letters.substr(1), is_lower) ||
         (letters.size() <= kCapitalsMax && std::ranges::all_of(letters, is_upper));
}

// Whether `text` is UTF-8 and the predicate is true of each of its characters.
template <class Predicate>
bool all_characters(std::string_view text, Predicate predicate) {
  while (!text.empty()) {
    const auto character = first_character(text);
    if (!character || !predicate(character->value)) return false;
    text.remove_prefix(character->bytes);
  }
  return true;
}

}  // namespace

std::string shortened(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && is_tail(text[end])) --end;
  text.resize(end);
  return text + "…";
}

std::string in_quotes(std::string_view text) {
  // A long text is cut before it is copied.
  return '"' +
         visible(shortened(std::string(text.substr(0, kQuotedBytesMax + 1)), kQuotedBytesMax)) +
         '"';
}

bool is_plainly_no_secret(std::string_view text) {
  const auto in_word = [](char c) { return is_letter(c) || kDigits.contains(c); };
  while (!text.empty()) {
    const auto* const end = std::ranges::find_if_not(text, in_word);
    const auto length = static_cast<std::size_t>(end - text.begin());
    if (!is_plain_word(text.substr(0, length))) return false;
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return true;
}

std::string in_quotes_unless_secret(std::string_view text) {
  return is_plainly_no_secret(text) ? in_quotes(text)
                                    : "(not repeated here, since it may be a secret)";
}

std::string without_secrets(std::string_view text) {
  constexpr std::size_t kTellsLittle = 4;
  std::string kept;
  for (;;) {
    const std::string_view word = text.substr(0, text.find(' '));
    const bool stays = word.size() <= kTellsLittle || is_plainly_no_secret(word);
    kept += stays ? word : std::string_view("…");
    if (word.size() == text.size()) return kept;
    kept += ' ';
    text.remove_prefix(word.size() + 1);
  }
}

bool is_utf8(std::string_view text) {
  return all_characters(text, [](char32_t) { return true; });
}

std::string_view trim(std::string_view text, std::string_view blanks) {
  while (!text.empty() && blanks.contains(text.front())) text.remove_prefix(1);
  while (!text.empty() && blanks.contains(text.back())) text.remove_suffix(1);
  return text;
}

bool has_control(std::string_view text) {
  return !all_characters(text, [](char32_t c) { return !is_control(c); });
}

std::string visible(std::string_view text, std::string_view kept) {
  const auto escape = [](char32_t c, std::string& out) {
    constexpr char32_t kLastShort = 0xff;
    c <= kLastShort ? append_byte(static_cast<unsigned char>(c), out) : append_escape(c, out);
  };
  return escaped(text, kept, escape, append_byte);
}

std::string visible_json(std::string_view json) {
  return escaped(json, "\n\r\t", append_escape,
                 [](unsigned char, std::string& out) { out += "\xef\xbf\xbd"; });
}

std::string counted(std::size_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

std::string with_commas(std::string digits) {
  constexpr std::size_t kGroup = 3;
  for (std::size_t end = digits.size(); end > kGroup;) digits.insert(end -= kGroup, ",");
  return digits;
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
