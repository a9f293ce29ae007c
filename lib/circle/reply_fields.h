#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"

namespace rota {

// The fields of a reply's JSON object that Rota knows. A field counts as missing if it has another
// type or a value that cannot be right: a token that is not plausible_token(), an id that is not
// between 1 and 2^53, a text that is not a timestamp.
struct ReplyFields {
  SecretPtr access_token;
  SecretPtr refresh_token;
  std::optional<WallTime> access_token_expires_at;
  std::optional<WallTime> refresh_token_expires_at;
  std::optional<std::int64_t> community_member_id;
  std::optional<std::int64_t> community_id;

  std::optional<bool> success;
  std::optional<std::string> message;  // without the blanks around it
};

// Reads a body. Nullopt if it is not one whole JSON object, or is nested too deeply. The parser's
// memory is wiped before it is freed, since it holds copies of tokens.
std::optional<ReplyFields> read_reply_fields(std::string_view body);

}  // namespace rota
