#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "http/response.h"

namespace rota {

// The grammar that is accepted, a strict subset of RFC 9112:
//
//   request     = method SP target SP ( "HTTP/1.1" / "HTTP/1.0" ) CRLF *( field CRLF ) CRLF
//   method      = token
//   target      = path [ "?" query ]                              ; origin-form
//               / "http://" host [ ":" port ] path [ "?" query ]  ; absolute-form, host not used
//   path        = "/" …                                ; absolute-form without one means "/"
//   field       = token ":" OWS value OWS
//
// Empty lines before the request are skipped (RFC 9112, 2.2). A target has visible ASCII but "#",
// and UTF-8; each "%" is followed by two hex digits. RFC 3986 wants "|", which SSO ids hold, and
// UTF-8 percent-encoded, and many clients send them as they are. Refused although some servers
// take it: bare CR or LF, folded fields, other forms of target, more or less than one Host with
// 1.1, Transfer-Encoding, a second Content-Length. An expectation other than 100-continue is 417.
struct RequestHead {
  std::string_view method;        // of HEAD it is GET, with head_only
  std::string_view path;          // begins with "/", still percent-encoded
  std::string_view query;         // what follows "?", still percent-encoded
  bool head_only = false;         // HEAD: the reply of a GET, without its body
  bool close = false;             // the client asked for it, or speaks 1.0
  bool expects_continue = false;  // the client may wait for a 100 before it sends the body
  std::size_t head_bytes = 0;     // with the empty lines
  std::size_t body_bytes = 0;     // that follow, no more than kRequestBodyBytesMax
};

struct NeedMore {};

// The connection cannot go on after this: where the next request begins is unknown.
struct HeadError {
  ErrorCode code = ErrorCode::kBadRequest;  // or kRequestTooLarge, kExpectationFailed
  std::string_view why;                     // static text
  bool head_only = false;                   // the method was HEAD: the reply has no body
};

// Parses the request that `bytes` begins with, without copying: the views point into `bytes`, or to
// static text. Gives the same for a request whole or after any of its pieces, an error as soon as
// its line is whole.
std::variant<NeedMore, RequestHead, HeadError> parse_head(std::string_view bytes);

// How many bytes of whole empty lines there are before the request.
std::size_t empty_lines_before(std::string_view bytes);

}  // namespace rota
