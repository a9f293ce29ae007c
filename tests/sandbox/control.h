#pragma once

#include <string_view>

#include "base/time.h"
#include "sandbox/circle.h"

namespace rota::sandbox {

inline constexpr std::string_view kControlPrefix = "/_sandbox/";

// One call of the control API under kControlPrefix, by which tests look into the sandbox and
// change it. It asks for no bearer, is not counted, and suffers no fault. README.md lists the
// calls. Errors are {"error": "one line"} with 400 or 404, and change nothing.
Reply control(Circle& circle, const Request& request, Now now);

}  // namespace rota::sandbox
