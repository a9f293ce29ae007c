#include <sys/stat.h>

#include <chrono>

#include "base/time.h"
#include "cli/client.h"
#include "cli/clients_command.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/exec_command.h"
#include "cli/files_command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rekey.h"
#include "cli/restore.h"
#include "settings/hardening.h"

using rota::cli::ExitCode;

namespace {

rota::WallTime read_clock() {
  return std::chrono::floor<rota::Duration>(std::chrono::system_clock::now());
}

}  // namespace

int main(int argc, char** argv) {
  rota::cli::open_standard_descriptors();
  rota::cli::StandardOutput output;
  const mode_t creation_mask = ::umask(S_IRWXG | S_IRWXO);  // as whoever started us wants it
  // Tokens and keys pass through this process (P10).
  if (const auto hardened = rota::harden_process(); !hardened) {
    output.err(hardened.error().message);
    return static_cast<int>(ExitCode::kFailed);
  }

  auto options = rota::cli::read_options(argc, argv);
  if (const auto* exit = std::get_if<ExitCode>(&options)) return static_cast<int>(*exit);
  const auto& wanted = std::get<rota::cli::Options>(options);

  if (wanted.local) {
    if (const auto* setup = std::get_if<rota::cli::SetupCommand>(&*wanted.local)) {
      rota::cli::Terminal terminal;
      return static_cast<int>(rota::cli::run_setup(*setup, wanted.json, terminal, output));
    }
    if (const auto* lists = std::get_if<rota::cli::ImportCommand>(&*wanted.local)) {
      return static_cast<int>(rota::cli::run_import(*lists, wanted.json, output));
    }
    if (const auto* shell = std::get_if<rota::cli::CompletionCommand>(&*wanted.local)) {
      const auto written = output.out(completion_script(shell->shell, shell->commands));
      return static_cast<int>(written ? ExitCode::kDone : ExitCode::kFailed);
    }
    if (const auto* client = std::get_if<rota::cli::ClientCommand>(&*wanted.local)) {
      return static_cast<int>(rota::cli::run_client(*client, wanted.json, output));
    }
    if (const auto* files = std::get_if<rota::cli::FilesCommand>(&*wanted.local)) {
      return static_cast<int>(rota::cli::run_files(*files, output));
    }
    if (const auto* exec = std::get_if<rota::cli::ExecCommand>(&*wanted.local)) {
      return rota::cli::run_exec(*exec, wanted.socket, creation_mask, output);
    }
    if (const auto* keys = std::get_if<rota::cli::RekeyCommand>(&*wanted.local)) {
      return static_cast<int>(rota::cli::run_rekey(*keys, wanted.json, output));
    }
    if (const auto* restore = std::get_if<rota::cli::RestoreCommand>(&*wanted.local)) {
      rota::cli::Terminal terminal;
      return static_cast<int>(
          rota::cli::run_restore(*restore, wanted.json, terminal, output, read_clock));
    }
    return static_cast<int>(rota::cli::run_doctor(std::get<rota::cli::DoctorCommand>(*wanted.local),
                                                  wanted.socket, wanted.json, output));
  }
  const auto client = rota::cli::UnixClient::create(wanted.socket);
  if (!client) {
    output.err(client.error().message);
    return static_cast<int>(ExitCode::kFailed);
  }
  rota::cli::Terminal terminal;
  return static_cast<int>(rota::cli::run(wanted, **client, output, terminal, read_clock));
}
