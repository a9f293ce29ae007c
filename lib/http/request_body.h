#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "base/secret.h"
#include "http/http_head.h"

namespace rota {

// The body of a request: as many bytes as Content-Length says, or chunks, by a strict subset of
// RFC 9112, 7.1:
//
//   chunked body = *( size [ extension ] CRLF data CRLF ) zeros [ extension ] CRLF
//                  *( field CRLF ) CRLF
//   size         = 1*HEXDIG                ; of the data
//   extension    = *( SP / HTAB ) ";" …    ; ignored
//   field        = token ":" …             ; ignored
//
// The data together has at most kRequestBodyBytesMax bytes, and everything else together at most
// kChunkFramingBytesMax. A bare CR or LF is refused.
struct FoundBody {
  std::size_t sent_bytes = 0;  // with the framing: the next request begins behind them
  std::size_t bytes = 0;       // without it
};

// Finds the body of a request in `rest`, which begins behind the head. NeedMore: it is not complete
// yet; call again with more bytes. An error (kBadRequest or kRequestTooLarge) comes as soon as it
// is known. Copies nothing, and remembers nothing between two calls.
std::variant<NeedMore, FoundBody, HeadError> find_body(const RequestHead& head,
                                                       std::string_view rest);

// The data of a whole chunked body; `sent` is its FoundBody::sent_bytes. Aborts if it is no such
// body. It may hold a token, so it is a secret.
Secret join_chunks(std::string_view sent, std::size_t bytes);

}  // namespace rota
