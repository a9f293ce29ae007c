#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace rota {

// At most so many bytes of it, and "…" where that is not all; no character of UTF-8 is cut through.
std::string shortened(std::string text, std::size_t bytes_max);

// What somebody wrote, for a message about it: in quotes, visible(), and shortened to
// kQuotedBytesMax.
inline constexpr std::size_t kQuotedBytesMax = 64;
std::string in_quotes(std::string_view text);

// Whether a text is plainly no secret, so that a message may repeat it wherever it came from (P10):
// it has only words of at most 14 letters, each in one case but for its first letter and with at
// most four digits at its end, as names and paths have. Tokens and keys mix letters, digits and
// cases, or are one long word.
bool is_plainly_no_secret(std::string_view text);
// in_quotes(), or words in its place if the text may be a secret.
std::string in_quotes_unless_secret(std::string_view text);
// The words of `text` that are plainly no secret, or too short to tell much of one; "…" for others.
std::string without_secrets(std::string_view text);

// Without the blanks at both ends.
std::string_view trim(std::string_view text, std::string_view blanks = " \t\r\n");

// "1 member", "2 members".
std::string counted(std::size_t number, std::string_view one, std::string_view many);

// `text` as one word of a POSIX shell, for a command that a message tells somebody to run.
std::string shell_word(std::string_view text);

// As a person sorts: each run of digits counts as a number, so "id:2" comes before "id:10". Only
// the same text is equal.
std::strong_ordering natural_order(std::string_view a, std::string_view b);
struct NaturalLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return natural_order(a, b) < 0; }
};

// Whether the text is well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

// Whether the text has a control character: one of C0 or C1, or DEL. Bytes that are no UTF-8 count
// as such, since a terminal may take one for a control character.
bool has_control(std::string_view text);

// The text for a terminal or a log. A character that a reader does not see, and that may change
// what the reader sees of the rest, becomes its escape, "\x1b" or "\u202e": control characters, the
// bidirectional and all other format characters, and separators of lines. A byte that is no UTF-8
// becomes "\xff". Those in `kept` stay.
std::string visible(std::string_view text, std::string_view kept = {});
// The same for a JSON text, which stays one with the same meaning; there line ends and tabs stay,
// which stand between values only, and a byte that is no UTF-8 becomes U+FFFD.
std::string visible_json(std::string_view json);

}  // namespace rota
