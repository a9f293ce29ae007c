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
//               / "http://" host [ ":" port ] path [ "?" query ]  ; absolute-form
//   path        = "/" …                                ; absolute-form without one means "/"
//   field       = token ":" OWS value OWS
//
// The body has a Content-Length, or comes in chunks (request_body.h), or there is none.
//
// Empty lines before the request are skipped (RFC 9112, 2.2). A target may have visible ASCII
// except "#", and UTF-8; two hex digits must follow each "%". RFC 3986 wants "|", which SSO ids
// have, and UTF-8 percent-encoded, but many clients send them as they are. These are refused,
// although some servers take them: a bare CR or LF, folded fields, other forms of target, no Host
// with 1.1, a second Host, Authorization, Content-Length or Transfer-Encoding, both of the latter
// two, a Transfer-Encoding with 1.0, and every transfer coding but "chunked". If "chunked" comes
// last in a list, the answer is 501, since the body's end could be found. An expectation other than
// 100-continue is answered with 417.
struct RequestHead {
  std::string_view method;         // "GET" for a HEAD, with head_only
  std::string_view path;           // begins with "/", still percent-encoded
  std::string_view query;          // what follows "?", still percent-encoded
  std::string_view host;           // with its port: of the target, else of the Host header
  std::string_view authorization;  // the header's value; empty: none
  bool has_origin = false;         // there is an Origin header: a browser's page asks
  bool head_only = false;          // a HEAD: the reply is that of a GET without the body
  bool close = false;              // the client sent "Connection: close", or speaks 1.0
  bool expects_continue = false;   // the client may wait for a 100 before it sends the body
  std::size_t head_bytes = 0;      // including the empty lines before it
  bool chunked = false;            // the body comes in chunks; body_bytes is 0
  std::size_t body_bytes = 0;      // that follow the head, at most kRequestBodyBytesMax
};

struct NeedMore {};

// The connection must end after the reply to this, since nobody knows where the next request
// begins.
struct HeadError {
  ErrorCode code = ErrorCode::kBadRequest;  // or that of a 417, 431 or 501
  std::string_view why;                     // static text
  std::string_view path{};                  // as in RequestHead, if it came so far; else empty
  bool head_only = false;                   // the method was HEAD: the reply has no body
};

// Parses the head of the request at the start of `bytes`. NeedMore: the head is not complete yet;
// call again with more bytes. An error comes as soon as the line with the error is complete. Copies
// nothing: the views point into `bytes` or to static text.
std::variant<NeedMore, RequestHead, HeadError> parse_head(std::string_view bytes);

// How many bytes of complete empty lines come before the request.
std::size_t empty_lines_before(std::string_view bytes);

}  // namespace rota
