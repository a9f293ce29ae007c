#include "circle/excerpt.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>

namespace rota {
namespace {

constexpr std::size_t kExcerptCharsMax = 200;
constexpr std::size_t kLookedAtBytesMax = 1024;  // the rest of a text is never quoted
constexpr std::size_t kWordCharsMax = 20;
constexpr std::size_t kCapitalsMax = 10;
// A shorter part of a secret gives too little away, and may be in any text by chance.
constexpr std::size_t kPartCharsMin = 8;
constexpr std::size_t kBase64Group = 3;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Letters and digits only, in lower case, so that case, spacing and punctuation do not matter.
Secret bare(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_lower(c) || is_digit(c)) out.push_back(c);
    if (is_upper(c)) out.push_back(static_cast<char>(c - 'A' + 'a'));
  }
  return Secret::take(std::move(out));
}

Secret backwards(std::string_view text) {
  return Secret::take(std::string(text.rbegin(), text.rend()));
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Secret hexadecimal(std::string_view text) {
  std::string out(2 * text.size() + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), bytes_of(text), text.size());
  out.pop_back();
  return Secret::take(std::move(out));
}

// How `text` looks within the base64 of a longer text, if `skipped` bytes of its first group come
// before it. Without the characters at both ends, which depend on the bytes around it.
Secret base64(std::string_view text, std::size_t skipped) {
  text.remove_prefix(std::min(text.size(), skipped == 0 ? 0 : kBase64Group - skipped));
  text.remove_suffix(text.size() % kBase64Group);
  std::string out(sodium_base64_encoded_len(text.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes_of(text), text.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  out.pop_back();
  return Secret::take(std::move(out));
}

// Whether `text` has `secret`, or kPartCharsMin characters of it in a row. Both are bare().
bool has_part(std::string_view text, std::string_view secret) {
  if (secret.size() < kPartCharsMin / 2) return false;
  const std::size_t part = std::min(secret.size(), kPartCharsMin);
  for (std::size_t at = 0; at + part <= text.size(); ++at) {
    if (secret.find(text.substr(at, part)) != std::string_view::npos) return true;
  }
  return false;
}

bool repeats(std::string_view text, std::string_view bare_text, std::string_view secret) {
  if (text.find(secret) != std::string_view::npos) return true;
  const std::array<Secret, 6> forms{Secret(secret),    backwards(secret), hexadecimal(secret),
                                    base64(secret, 0), base64(secret, 1), base64(secret, 2)};
  return std::ranges::any_of(
      forms, [&](const Secret& form) { return has_part(bare_text, bare(form.reveal()).reveal()); });
}

// Whether this is a word as people write it: letters, with apostrophes and hyphens inside, lower
// case after the first letter or all capitals. Codes and encodings mix cases or have digits.
bool is_plain(std::string_view word) {
  constexpr std::string_view kBefore = "(\"'";
  constexpr std::string_view kAfter = ".,;:!?)\"'";
  const std::size_t first = word.find_first_not_of(kBefore);
  if (first == std::string_view::npos) return true;
  word = word.substr(first, word.find_last_not_of(kAfter) - first + 1);
  if (word.empty() || word.size() > kWordCharsMax) return word.empty();
  const auto letters = [](std::string_view part, auto is_letter) {
    return std::ranges::all_of(part, [&](char c) { return is_letter(c) || c == '\'' || c == '-'; });
  };
  const bool has_first_letter = is_lower(word.front()) || is_upper(word.front());
  return has_first_letter && (letters(word.substr(1), is_lower) ||
                              (word.size() <= kCapitalsMax && letters(word, is_upper)));
}

}  // namespace

SentSecrets::SentSecrets(std::vector<SecretPtr> secrets) : secrets_(std::move(secrets)) {
  std::erase_if(secrets_, [](const SecretPtr& s) { return s == nullptr || s->empty(); });
}

bool SentSecrets::repeated_in(std::string_view text) const {
  if (secrets_.empty()) return false;
  const Secret bare_text = bare(text);
  return std::ranges::any_of(secrets_, [&](const SecretPtr& secret) {
    return repeats(text, bare_text.reveal(), secret->reveal());
  });
}

std::string safe_excerpt(std::string_view text, const SentSecrets& sent) {
  constexpr std::string_view kLeftOut = "[...]";
  text = text.substr(0, kLookedAtBytesMax);
  if (sent.repeated_in(text)) return "words that repeat what was sent";
  std::string excerpt;
  while (!text.empty() && excerpt.size() < kExcerptCharsMax) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (is_plain(word)) {
      excerpt.append(word);
    } else if (!excerpt.ends_with("[...] ")) {
      excerpt.append(kLeftOut);
    } else {
      excerpt.pop_back();
    }
    if (end < text.size()) excerpt.push_back(' ');
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  excerpt.resize(std::min(excerpt.size(), kExcerptCharsMax));
  return excerpt;
}

std::string safe_line(std::string_view text, const SentSecrets& sent) {
  text = text.substr(0, kExcerptCharsMax);
  if (sent.repeated_in(text)) return {};
  std::string line(text);
  std::ranges::replace_if(line, [](char c) { return c < ' ' || c > '~'; }, '?');
  return line;
}

}  // namespace rota
