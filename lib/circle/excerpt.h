#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace rota {

// The secrets that one call sends. What comes back may repeat them, as they were or encoded, and
// must not take them into a text for people (P10).
class SentSecrets {
 public:
  SentSecrets() = default;
  explicit SentSecrets(std::vector<SecretPtr> secrets);

  // Whether `text` has one of them, or a part of one: whatever its length and its case; backwards;
  // with blanks or punctuation in between; in hexadecimal, base64 or base64url.
  bool repeated_in(std::string_view text) const;

 private:
  std::vector<SecretPtr> secrets_;  // none is null or empty
};

// A text of Circle's made fit for a log line: its plain words, at most 200 characters. Everything
// that is no word of a language is left out (numbers, addresses, codes: "[...]"), and all of it is
// left out if it repeats a secret. Pure.
std::string safe_excerpt(std::string_view text, const SentSecrets& sent = {});

// A text of a library's own about a connection, made fit for a log line: at most 200 printable
// ASCII characters, everything else as "?". A certificate can name itself with line ends or escape
// sequences. Empty if it repeats a secret. Pure.
std::string safe_line(std::string_view text, const SentSecrets& sent);

}  // namespace rota
