#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/enumerators.h"
#include "base/time.h"
#include "http/buffer.h"
#include "table/table.h"

namespace rota {

// Every way to refuse a request. row_of() has what each looks like on the wire.
enum class ErrorCode {
  kBadRequest,
  kUnauthorized,  // on a listener: no client's bearer token
  kForbidden,
  kCommunityNotEligible,  // Circle's routes: Circle refuses the whole community
  kMemberUnknown,
  kNotFound,
  kMethodNotAllowed,
  kNotPossible,     // admin socket: not in the present state of the member or the plan
  kMemberInRoster,  // its enrolment cannot be ended while the roster names it
  kMemberRetired,
  kMemberBlocked,
  kExpectationFailed,
  kConfigInvalid,  // admin socket: a reload found configuration or roster unusable
  kRequestTooLarge,
  kNotImplemented,  // a transfer coding that we do not know
  kInternal,        // admin socket: the store is damaged, or a bug
  kTokenUnknown,    // Circle's routes: the token of the request is none, or a dead one
  kTokenExpired,
  kTokenUnavailable,
  kMemberMismatched,
  kEnrolmentLimited,
  kRemovalsLimited,
  kTooManyConnections,
  kUnavailable,  // admin socket: disk or lock, worth a retry
};

inline constexpr auto kErrorCodes = enumerators_from<ErrorCode::kBadRequest>();

struct ErrorRow {
  int status = 0;
  std::string_view reason;   // HTTP's phrase for the status
  std::string_view code;     // "code" in the body: what programs switch on
  std::string_view message;  // used if the reply has none of its own
};
ErrorRow row_of(ErrorCode code);

// How Circle itself would say it, on its own routes. The body still has our code.
struct CircleError {
  int status = 0;
  std::string_view reason;
  std::string_view message;
  std::string_view details = "{}";  // the JSON of "error_details"
};

// A reply without a token.
struct ErrorReply {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // empty: the row's. Bytes that are not printable ASCII are sent as '?'
  std::optional<Duration> retry_after;  // sent as whole seconds, rounded up, at least 1
  std::string allow;                    // the methods that the path has; only for kMethodNotAllowed
  const CircleError* circle = nullptr;  // static; not null: replaces status and message
};
inline ErrorReply error_reply(ErrorCode code, std::string message = {}) {
  return {.code = code, .message = std::move(message), .retry_after = {}, .allow = {}};
}
inline ErrorReply method_not_allowed(std::string allow) {
  ErrorReply reply = error_reply(ErrorCode::kMethodNotAllowed);
  reply.allow = std::move(allow);
  return reply;
}

enum class JsonStatus { kOk, kCreated, kAccepted, kUnavailable };  // 200, 201, 202, 503

struct JsonReply {
  std::string body;
  JsonStatus status = JsonStatus::kOk;
};

// A 204.
struct EmptyReply {};

// A 200 in Prometheus' text format.
struct MetricsReply {
  std::string body;
};

// What the request and the connection decide about a reply.
struct ReplyForm {
  bool close = false;      // adds "Connection: close"
  bool head_only = false;  // the reply to a HEAD: the head of a GET's reply, and no body
};

// Each appends one whole reply.
void append_error(Buffer& out, const ErrorReply& reply, ReplyForm form);
void append_json(Buffer& out, const JsonReply& reply, ReplyForm form);
void append_empty(Buffer& out, ReplyForm form);
void append_metrics(Buffer& out, const MetricsReply& reply, ReplyForm form);
// 200 with the row's token (http/token_body.h). Date is `circle_now`, on the same clock as the
// token's expiry, and Rota-Expires-In is the number of whole seconds between the two. Aborts unless
// the row has a token that expires after `circle_now`.
void append_token(Buffer& out, const Published& row, WallTime circle_now, ReplyForm form);
// Parts of such a reply, for those with another body: its head up to Rota-Expires-In, and the rest
// of a head.
void append_token_head(Buffer& out, const Published& row, WallTime circle_now);
void append_length(Buffer& out, std::size_t body_bytes, ReplyForm form);
// 204 with the row's token in the header "Authorization: Bearer TOKEN", and as above otherwise.
void append_authorization(Buffer& out, const Published& row, WallTime circle_now, ReplyForm form);
// The interim reply to a client that waits for it before it sends its body.
void append_continue(Buffer& out);

}  // namespace rota
