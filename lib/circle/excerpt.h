#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace rota {

// The secrets that one call sends. The reply may repeat them, as they are or encoded, and they must
// not get into a text for people that way (P10).
class SentSecrets {
 public:
  SentSecrets() = default;
  // Null and empty ones are left out.
  explicit SentSecrets(std::vector<SecretPtr> secrets);

  // Whether `text` has one of them, or eight letters or digits in a row of one. It looks for them
  // in upper or lower case, backwards, with blanks or punctuation in between, and in hexadecimal,
  // base64 or base64url.
  bool repeated_in(std::string_view text) const;

 private:
  std::vector<SecretPtr> secrets_;  // none is null or empty
};

// A text from Circle, made fit for a log line: its plain words, at most 200 characters. "[...]"
// stands for what is not a word of a language (numbers, addresses, codes). If the text repeats a
// secret, the result only says so.
std::string safe_excerpt(std::string_view text, const SentSecrets& sent = {});

// A library's text about a connection, made fit for a log line: at most 200 characters, with "?"
// for each byte that is not printable ASCII, since a certificate's name can have line ends or
// escape sequences. Empty if the text repeats a secret.
std::string safe_line(std::string_view text, const SentSecrets& sent);

}  // namespace rota
