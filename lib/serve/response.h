#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "serve/buffer.h"
#include "table/table.h"

namespace rota {

// Every way in which a request is refused; ErrorRow has what each looks like on the wire.
enum class ErrorCode {
  kBadRequest,
  kForbidden,
  kMemberUnknown,
  kNotFound,
  kMethodNotAllowed,
  kNotPossible,  // admin socket: the member or the plan is not in a state for that
  kMemberRetired,
  kMemberBlocked,
  kConfigInvalid,  // admin socket: a reload found configuration or roster unusable
  kRequestTooLarge,
  kInternal,  // admin socket: the store is damaged, or a bug
  kTokenUnavailable,
  kMemberMismatched,
  kTooManyConnections,
  kUnavailable,  // admin socket: disk or lock, worth a retry
};

struct ErrorRow {
  int status = 0;
  std::string_view reason;   // HTTP's phrase for the status
  std::string_view code;     // "code" in the body: what programs switch on
  std::string_view message;  // unless the reply has its own
};
ErrorRow row_of(ErrorCode code);

// A reply without a token.
struct ErrorReply {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // empty: the row's; bytes that are not printable ASCII are sent as '?'
  std::optional<Duration> retry_after;  // sent as whole seconds, rounded up, at least 1
  std::string_view allow;               // the methods that would do; only for kMethodNotAllowed
};
inline ErrorReply error_reply(ErrorCode code, std::string message = {}) {
  return {.code = code, .message = std::move(message), .retry_after = {}, .allow = {}};
}
inline ErrorReply method_not_allowed(std::string_view allow) {
  ErrorReply reply = error_reply(ErrorCode::kMethodNotAllowed);
  reply.allow = allow;
  return reply;
}

struct JsonReply {
  std::string body;
  bool unavailable = false;  // of a 503; otherwise of a 200
};

// Prometheus' text format, of a 200.
struct MetricsReply {
  std::string body;
};

// Each appends one whole reply; `close` adds "Connection: close". No reply has a Date: the peer is
// on this machine, and formatting one for each fetch would be its largest cost.
void append_error(Buffer& out, const ErrorReply& reply, bool close);
void append_json(Buffer& out, const JsonReply& reply, bool close);
void append_metrics(Buffer& out, const MetricsReply& reply, bool close);
// 200 with the row's body, which must be there; max-age is what the token has left at `circle_now`.
void append_token(Buffer& out, const Published& row, WallTime circle_now, bool close);

}  // namespace rota
