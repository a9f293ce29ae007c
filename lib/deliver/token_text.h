#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

// What a token file holds. Pure.
namespace rota::deliver {

// One token as a client gets it.
struct Token {
  SecretPtr access_token;
  WallTime expires_at{};  // by Circle's clock
  std::int64_t community_member_id = 0;
};

// A text with places for the fields of a token.
class Template {
 public:
  // The places are {{access_token}}, {{expires_at}} and {{community_member_id}}; blanks inside the
  // braces are ignored. kConfig: another name in braces, or braces that do not close.
  static Result<Template> parse(std::string_view text);

  bool operator==(const Template&) const = default;

 private:
  friend class Writer;
  enum class Field { kAccessToken, kExpiresAt, kCommunityMemberId };

  std::vector<std::variant<std::string, Field>> parts_;
};

enum class Format {
  kRaw,       // the token and nothing else
  kJson,      // one object, as GET /v1/token answers, and a newline
  kHeader,    // "Authorization: Bearer TOKEN" and a newline
  kEnv,       // ROTA_ACCESS_TOKEN=, ROTA_EXPIRES_AT=, ROTA_COMMUNITY_MEMBER_ID=, a line each
  kTemplate,  // the file's own text
};
// "raw", "json", …; nullopt for any other word.
std::optional<Format> format_named(std::string_view word);

// The bytes of the file. `text` is used by kTemplate alone. kInvalid: the token has a character
// that would mean something else in this format, for example a blank in a header. The message does
// not repeat it.
Result<Secret> render(Format format, const Template& text, const Token& token);

}  // namespace rota::deliver
