#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret_arguments.h"
#include "base/text.h"
#include "daemon/check_command.h"
#include "daemon/daemon.h"
#include "daemon/exit_code.h"
#include "daemon/options.h"
#include "daemon/system_clock.h"
#include "settings/hardening.h"
#include "settings/hidden_values.h"
#include "settings/write_all.h"
#include "sqlite/sealer.h"

namespace {

using rota::ExitCode;

// SIGHUP is held from before the initializers of the libraries on: they take longer than main()
// does to its first line.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const kBeforeTheLibraries)() = rota::hold_reload_signal;

// Not if that would wait for somebody to read it.
int end_with(const rota::Error& error) {
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&writable, 1, 0) == 0) return static_cast<int>(rota::exit_code_of(error));
  fmt::print(stderr, "rotad: {}\n", rota::visible(error.message, "\n"));
  return static_cast<int>(rota::exit_code_of(error));
}

// Past stdio, whose buffers would keep a key. What is not written is a failure: a key that is only
// half in its file seals a database that nobody can read later.
int say(std::string_view text) {
  const auto written = rota::write_all(STDOUT_FILENO, text);
  return written ? static_cast<int>(ExitCode::kDone) : end_with(written.error());
}

// A secret may have been given in place of the configuration's path (P10).
rota::Error without_path(rota::Error error, const std::string& path) {
  if (rota::may_be_shown(path)) return error;
  const char* const argument = path.c_str();
  error.message = rota::without_secret_arguments(std::move(error.message), {&argument, 1});
  return error;
}

int run(const rota::DaemonOptions& options) {
  rota::end_on_stop_signals();
  const char* notify_socket = std::getenv("NOTIFY_SOCKET");
  rota::ServiceManager manager(notify_socket == nullptr ? "" : notify_socket);
  const auto fail_with = [&manager](const rota::Error& error) {
    manager.failed(error);
    return end_with(error);
  };
  auto settings = rota::load_settings(options.config);
  if (!settings) return fail_with(without_path(std::move(settings).error(), options.config));

  const rota::HiddenValues hidden(*settings);
  const rota::SystemClock clock;
  rota::Log log(settings->log_level, hidden);
  boost::asio::io_context loop(1);
  auto daemon = rota::Daemon::create({.loop = loop,
                                      .clock = clock,
                                      .log = log,
                                      .manager = manager,
                                      .config_path = options.config,
                                      .hidden = hidden},
                                     *std::move(settings));
  if (!daemon) return fail_with(hidden.hide(daemon.error()));
  if (auto started = (*daemon)->start(); !started) return fail_with(hidden.hide(started.error()));
  loop.run();
  return static_cast<int>(ExitCode::kDone);
}

int check(const rota::DaemonOptions& options) {
  const auto text = rota::check_configuration(options.config, rota::SystemClock{});
  if (!text) return end_with(without_path(text.error(), options.config));
  return say(rota::visible(*text, "\n"));
}

int keygen() {
  const auto key = rota::generate_store_key();
  if (!key) return end_with(key.error());
  if (const int ended = say(key->reveal()); ended != static_cast<int>(ExitCode::kDone))
    return ended;
  return say("\n");
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
      return options.said.empty() ? options.exit_code : say(options.said);
  }
}
