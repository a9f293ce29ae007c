#pragma once

namespace rota::cli {

// The exit status of `rota`. Documented in --help and rota(1): scripts depend on it.
enum class ExitCode {
  kDone = 0,
  kFailed = 1,       // the daemon refused or could not do it, a revoked token is still alive, or
                     // `status --check` found the daemon not ready, `doctor` something wrong, or
                     // `import` a list that it does not take
  kUsage = 2,        // the command line is wrong; nothing was sent
  kNoMember = 3,     // unknown, retired or blocked: asking again does not help
  kUnreachable = 4,  // no daemon on the socket, or no reply in time; `setup` has written all, but
                     // Circle gave no answer
  kNotNow = 5,       // no token now: asking again later may help
  kConfig = 78,      // `files`: its configuration is wrong, and would be wrong again
};

}  // namespace rota::cli
