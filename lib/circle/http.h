#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "model/outcome.h"

namespace rota {

// One call as HTTP. The transport adds the origin and the app token.
struct HttpRequest {
  std::string_view method;  // "POST" or "PATCH", of static storage
  std::string_view path;    // begins with '/', of static storage
  Secret body;              // JSON
};

// A complete reply. Header values are as received, without the blanks around them.
struct HttpReply {
  int status = 0;
  std::string content_type;
  std::optional<std::string> retry_after;
  std::optional<std::string> date;
  Secret body;       // decompressed; it may hold tokens
  SecretPtr bearer;  // the app token that its request was sent with; null if there was none
};

// No complete reply came. `reason` is kNotSent if the request certainly had no effect,
// kNotProcessed if the server says that it had none, and kNoReply if we do not know. `why` is one
// line for people, without a secret in it.
struct HttpFailure {
  TransientReason reason = TransientReason::kNoReply;
  std::string why;
  Symptom symptom{};
};

using HttpResult = std::expected<HttpReply, HttpFailure>;

}  // namespace rota
