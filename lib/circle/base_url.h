#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rota {

// Checks where calls may go and returns it without a slash at its end, so that Circle's paths can
// follow: "scheme://host[:port][/path]". `https://` with any host, or `http://` with a loopback
// address (127.0.0.0/8, [::1], localhost): tokens never cross a network in clear. A path is for a
// gateway that keeps Circle under one; no user, query or fragment. kInvalid names the broken rule
// and never repeats the text, which may hold a password.
Result<std::string> check_base_url(std::string_view text);

}  // namespace rota
