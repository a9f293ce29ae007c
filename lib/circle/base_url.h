#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rota {

// Checks the URL under which calls go, "scheme://host[:port][/path]", and returns it without a
// slash at its end, so that Circle's paths can follow. The scheme is `https`, or `http` if the host
// is a loopback address (127.0.0.0/8, [::1], localhost): tokens never cross a network unencrypted.
// A path is for a gateway that has Circle below it. A user, query or fragment is refused. kInvalid
// names the broken rule and never repeats the text, which may hold a password.
Result<std::string> check_base_url(std::string_view text);

}  // namespace rota
