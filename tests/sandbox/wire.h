#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/time.h"
#include "sandbox/reply.h"

namespace rota::sandbox {

inline constexpr std::size_t kHugeBodyBytes = 64UL << 20U;
inline constexpr std::size_t kHugeChunkBytes = 64UL << 10U;

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string format_http_date(WallTime time);

// The bytes of an HTTP/1.1 reply: head and body, or for kHuge the head alone. Empty for replies
// of which no byte goes out.
std::string compose(const Reply& reply, WallTime date, bool keep_alive);

// One chunk of a chunked body. An empty one would end the body.
std::string compose_chunk(std::string_view bytes);

}  // namespace rota::sandbox
