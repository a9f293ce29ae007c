#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace rota {

// Reads a Retry-After header (RFC 9110, 10.2.3): whole seconds, or an HTTP date, which counts from
// `now` (the reply's own Date, if it has one). At most kRetryAfterMax (classify.h). Nullopt if the
// text is neither, or asks for no pause.
std::optional<Duration> parse_retry_after(std::string_view text, WallTime now);

}  // namespace rota
