#pragma once

#include "base/result.h"

namespace rota {

// The exit status of rotad (sysexits.h). systemd does not restart it after 78; the cause of any
// other may pass.
enum class ExitCode { kDone = 0, kFailed = 1, kConfig = 78 };

// kConfig if an operator has to act: a wrong configuration, or a database that is not ours.
ExitCode exit_code_of(const Error& error);

}  // namespace rota
