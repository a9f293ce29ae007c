#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"

namespace rota {

// What a reply's JSON object says, as far as Rota knows its fields. A field of another type, or a
// value that cannot be right (a token that is no header value, an id below 1, a text that is no
// timestamp), is as if it were not there.
struct ReplyFields {
  SecretPtr access_token;
  SecretPtr refresh_token;
  std::optional<WallTime> access_token_expires_at;
  std::optional<WallTime> refresh_token_expires_at;
  std::optional<std::int64_t> community_member_id;
  std::optional<std::int64_t> community_id;

  std::optional<bool> success;
  std::optional<std::string> message;  // without surrounding blanks
};

// Reads a body; nothing when it is not one whole JSON object. Its nesting is bounded, and all
// memory that the parser takes is wiped when it is given back, since it holds copies of tokens.
// Pure.
std::optional<ReplyFields> read_reply_fields(std::string_view body);

}  // namespace rota
