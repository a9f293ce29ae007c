#include <sys/prctl.h>

#include <csignal>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/output.h"

using rota::cli::ExitCode;

int main(int argc, char** argv) {
  // A token passes through: no core file, and no other process of this user looks in (P10).
  prctl(PR_SET_DUMPABLE, 0);
  // A reader that has gone is a failed write.
  std::signal(SIGPIPE, SIG_IGN);

  auto options = rota::cli::read_options(argc, argv);
  if (const auto* exit = std::get_if<ExitCode>(&options)) return static_cast<int>(*exit);
  const auto& wanted = std::get<rota::cli::Options>(options);

  rota::cli::StandardOutput output;
  if (wanted.local) {
    if (const auto* setup = std::get_if<rota::cli::SetupCommand>(&*wanted.local)) {
      rota::cli::Terminal terminal;
      return static_cast<int>(rota::cli::run_setup(*setup, terminal, output));
    }
    return static_cast<int>(rota::cli::run_doctor(std::get<rota::cli::DoctorCommand>(*wanted.local),
                                                  wanted.socket, wanted.json, output));
  }
  const auto client = rota::cli::UnixClient::create(wanted.socket);
  if (!client) {
    output.err(client.error().message);
    return static_cast<int>(ExitCode::kFailed);
  }
  return static_cast<int>(rota::cli::run(wanted, **client, output));
}
