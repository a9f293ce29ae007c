#pragma once

#include "base/result.h"

namespace rota {

// What systemd and people can tell apart (sysexits.h): 78 is never restarted, the rest may pass.
enum class ExitCode { kDone = 0, kFailed = 1, kConfig = 78 };

// A wrong configuration and a store that is not ours are an operator's matter.
ExitCode exit_code_of(const Error& error);

}  // namespace rota
