#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rota {

// Checks where calls may go and returns it as an origin, "scheme://host[:port]", without the one
// trailing slash that is allowed. `https://` with any host, or `http://` with a loopback address
// (127.0.0.0/8, [::1], localhost): tokens never cross a network in clear. No user, path, query or
// fragment: Circle's paths start at the root, and a path here would be a mistake more often than a
// wish. kInvalid names the broken rule and never repeats the text, which may hold a password.
Result<std::string> check_base_url(std::string_view text);

}  // namespace rota
