#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "serve/response.h"

namespace rota {

// The grammar that is accepted, a strict subset of RFC 9112:
//
//   request     = method SP target SP ( "HTTP/1.1" / "HTTP/1.0" ) CRLF *( field CRLF ) CRLF
//   method      = token
//   target      = "/" path [ "?" query ]      ; origin-form only
//   field       = token ":" OWS value OWS
//
// A target has visible ASCII but "#", each "%" followed by two hex digits: RFC 3986 wants "|",
// which SSO ids hold, percent-encoded, and many clients do not. What is refused although some
// servers take it: bare CR or LF, an empty line before the request, folded fields, other forms of
// target, more or less than one Host with 1.1, Transfer-Encoding, Expect, a second Content-Length.
struct RequestHead {
  std::string_view method;
  std::string_view path;       // begins with "/", still percent-encoded
  std::string_view query;      // what follows "?", still percent-encoded
  bool close = false;          // the client asked for it, or speaks 1.0
  std::size_t head_bytes = 0;  // with the empty line
  std::size_t body_bytes = 0;  // that follow, no more than kRequestBodyBytesMax
};

struct NeedMore {};

// The connection cannot go on after this: where the next request begins is unknown.
struct HeadError {
  ErrorCode code = ErrorCode::kBadRequest;  // or kRequestTooLarge
  std::string_view why;                     // static text
};

// Parses the request that `bytes` begins with, without copying: the views point into `bytes`. Gives
// the same for a request whole or after any of its pieces, an error as soon as its line is whole.
std::variant<NeedMore, RequestHead, HeadError> parse_head(std::string_view bytes);

}  // namespace rota
