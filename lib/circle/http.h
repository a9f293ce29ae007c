#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "model/outcome.h"

namespace rota {

// One call as HTTP, without origin and app token: those are the transport's own.
struct HttpRequest {
  std::string_view method;  // "POST" or "PATCH", of static storage
  std::string_view path;    // begins with '/', of static storage
  Secret body;              // JSON
};

// A complete reply. Header values are as received, without surrounding blanks.
struct HttpReply {
  int status = 0;
  std::string content_type;
  std::optional<std::string> retry_after;
  std::optional<std::string> date;
  Secret body;  // decoded; it may hold tokens
};

// No complete reply came. `reason` is kNotSent when the request certainly had no effect,
// kNotProcessed when the server says so, kNoReply when that is not known; `why` is one line for
// people without a secret in it.
struct HttpFailure {
  TransientReason reason = TransientReason::kNoReply;
  std::string why;
  Symptom symptom{};
};

using HttpResult = std::expected<HttpReply, HttpFailure>;

}  // namespace rota
