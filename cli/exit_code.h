#pragma once

namespace rota::cli {

// What `rota` ends with; documented in its --help, so that scripts can switch on it.
enum class ExitCode {
  kDone = 0,
  kFailed = 1,       // the daemon refused or could not do it, a revoked token is still alive, or
                     // `status --check` found the daemon not ready, or `doctor` something wrong
  kUsage = 2,        // the command line is wrong; nothing was asked
  kNoMember = 3,     // unknown, retired or blocked: asking again brings nothing
  kUnreachable = 4,  // no daemon behind the socket, or no reply in time
  kNotNow = 5,       // no token at the moment: asking again later may bring one
};

}  // namespace rota::cli
