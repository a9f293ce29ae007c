#include "daemon/hardening.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace rota {

Result<void> harden_process() {
  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) {
    return fail(ErrorKind::kIo, fmt::format("RLIMIT_CORE: {}", std::strerror(errno)));
  }
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return fail(ErrorKind::kIo, fmt::format("PR_SET_DUMPABLE: {}", std::strerror(errno)));
  }
  ::umask(S_IRWXG | S_IRWXO);
  // libcurl would write the keys of its TLS sessions into the file that this names.
  ::unsetenv("SSLKEYLOGFILE");
  // A client that hangs up while we write is an error of that one write.
  ::signal(SIGPIPE, SIG_IGN);
  return {};
}

}  // namespace rota
