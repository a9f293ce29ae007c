#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "daemon/check_command.h"
#include "daemon/daemon.h"
#include "daemon/exit_code.h"
#include "daemon/hardening.h"
#include "daemon/options.h"
#include "daemon/system_clock.h"
#include "store/sealer.h"

namespace {

using rota::ExitCode;

// Not if that would wait for somebody to read it.
int end_with(const rota::Error& error) {
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&writable, 1, 0) == 0) return static_cast<int>(rota::exit_code_of(error));
  fmt::print(stderr, "rotad: {}\n", rota::visible(error.message, "\n"));
  return static_cast<int>(rota::exit_code_of(error));
}

int run(const rota::DaemonOptions& options) {
  const char* notify_socket = std::getenv("NOTIFY_SOCKET");
  rota::ServiceManager manager(notify_socket == nullptr ? "" : notify_socket);
  const auto fail_with = [&manager](const rota::Error& error) {
    manager.failed(error);
    return end_with(error);
  };
  rota::hold_reload_signal();
  auto settings = rota::load_settings(options.config);
  if (!settings) return fail_with(settings.error());

  const rota::SystemClock clock;
  rota::Log log(settings->log_level);
  boost::asio::io_context loop(1);
  auto daemon = rota::Daemon::create(
      {.loop = loop, .clock = clock, .log = log, .manager = manager, .config_path = options.config},
      *std::move(settings));
  if (!daemon) return fail_with(daemon.error());
  if (auto started = (*daemon)->start(); !started) return fail_with(started.error());
  loop.run();
  return static_cast<int>(ExitCode::kDone);
}

int check(const rota::DaemonOptions& options) {
  const auto text = rota::check_configuration(options.config, rota::SystemClock{});
  if (!text) return end_with(text.error());
  fmt::print("{}", rota::visible(*text, "\n"));
  return static_cast<int>(ExitCode::kDone);
}

int keygen() {
  const auto key = rota::generate_store_key();
  if (!key) return end_with(key.error());
  fmt::print("{}\n", key->reveal());
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

int main(int argc, char** argv) {
  if (!rota::open_standard_descriptors()) return static_cast<int>(ExitCode::kFailed);
  const rota::DaemonOptions options = rota::read_options(argc, argv);
  // Each command reads a secret or makes one.
  if (auto hardened = rota::harden_process(); !hardened) return end_with(hardened.error());
  switch (options.command) {
    case rota::DaemonCommand::kRun:
      return run(options);
    case rota::DaemonCommand::kCheck:
      return check(options);
    case rota::DaemonCommand::kKeygen:
      return keygen();
    case rota::DaemonCommand::kExit:
      return options.exit_code;
  }
}
