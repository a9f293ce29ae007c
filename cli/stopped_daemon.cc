#include "cli/stopped_daemon.h"

#include <utility>

#include "base/secret_arguments.h"
#include "settings/hidden_values.h"

namespace rota::cli {

ExitCode say_why_not(Error error, const std::vector<std::string>& paths, const Community& community,
                     Output& output) {
  for (const std::string& path : paths) {
    if (may_be_shown(path)) continue;
    const char* const word = path.c_str();
    error.message = without_secret_arguments(std::move(error.message), {&word, 1});
  }
  // With the sockets open, the next client would start the daemon again.
  if (error.kind == ErrorKind::kBusy) {
    error.message += community.in_its_words(
        "; stop it first: systemctl stop rotad.socket rotad-admin.socket rotad.service");
  }
  output.err(error.message);
  return ExitCode::kFailed;
}

}  // namespace rota::cli
