#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace rota {

// At most `bytes_max` bytes of `text`; if it was cut, "…" follows. The cut never goes through a
// UTF-8 character.
std::string shortened(std::string text, std::size_t bytes_max);

// What somebody wrote, for a message about it: shortened to kQuotedBytesMax, visible(), in quotes.
inline constexpr std::size_t kQuotedBytesMax = 64;
std::string in_quotes(std::string_view text);

// Whether a text is plainly no secret, so that a message may repeat it wherever it came from (P10).
// Every word (a run of letters and digits) must be one that names and paths have: at most 14
// letters, lower case after the first, or at most ten capitals, then at most four digits; or a
// number of at most ten digits. Tokens and keys mix letters, digits and cases, or are one long
// word.
bool is_plainly_no_secret(std::string_view text);
// in_quotes(), or words that say why the text is not repeated, if it may be a secret.
std::string in_quotes_unless_secret(std::string_view text);
// `text` with "…" in place of each word that may be a secret. Words of at most four bytes stay,
// because they give too little of a secret away. Spaces separate words.
std::string without_secrets(std::string_view text);

// Without the blanks at both ends.
std::string_view trim(std::string_view text, std::string_view blanks = " \t\r\n");

// "1 member", "2 members".
std::string counted(std::size_t number, std::string_view one, std::string_view many);

// 20000 as "20,000". `number` is not negative.
std::string with_commas(std::string digits);
std::string grouped(std::integral auto number) { return with_commas(std::to_string(number)); }

// `text` as one word of a POSIX shell, for a command that a message tells somebody to run.
std::string shell_word(std::string_view text);

// As a person sorts: each run of digits counts as a number, so "id:2" comes before "id:10". Only
// identical texts are equal.
std::strong_ordering natural_order(std::string_view a, std::string_view b);
struct NaturalLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return natural_order(a, b) < 0; }
};

// Whether the text is well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

// Whether the text has a control character: one of C0 or C1, or DEL. A byte that is not UTF-8
// counts as one, since a terminal may take it for a control character.
bool has_control(std::string_view text);

// The text for a terminal or a log. A character that a reader does not see, and that may change
// what the reader sees of the rest, becomes its escape, "\x1b" or "\u202e": control characters, the
// bidirectional and all other format characters, and separators of lines. So does a byte that is
// not UTF-8 ("\xff"). ASCII characters in `kept` stay as they are.
std::string visible(std::string_view text, std::string_view kept = {});
// The same for a JSON text. The result is JSON with the same meaning: line ends and tabs stay,
// since JSON has them only between values, and a byte that is not UTF-8 becomes U+FFFD.
std::string visible_json(std::string_view json);

}  // namespace rota
