#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "api/circle_logins.h"
#include "base/secret_arguments.h"
#include "base/text.h"
#include "daemon/admin_desk.h"
#include "daemon/check_command.h"
#include "daemon/connection_log.h"
#include "daemon/daemon_health.h"
#include "daemon/daemon_life.h"
#include "daemon/daemon_notes.h"
#include "daemon/exit_code.h"
#include "daemon/files_in_force.h"
#include "daemon/listeners.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/parts.h"
#include "daemon/service_manager.h"
#include "daemon/system_clock.h"
#include "settings/hardening.h"
#include "settings/hidden_values.h"
#include "settings/own_path.h"
#include "settings/write_all.h"
#include "sqlite/sealer.h"

namespace {

using rota::ExitCode;

// Blocks SIGHUP before the initializers of the libraries run, which take a while.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const kBeforeTheLibraries)() = rota::hold_reload_signal;

// Writes only what does not have to wait for a reader.
int end_with(const rota::Error& error) {
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&writable, 1, 0) == 0) return static_cast<int>(rota::exit_code_of(error));
  fmt::print(stderr, "rotad: {}\n", rota::visible(error.message, "\n"));
  return static_cast<int>(rota::exit_code_of(error));
}

// Without stdio, whose buffers would keep a key. If not all of it was written, that is a failure:
// with half a key in its file, nobody could read the database later.
int say(std::string_view text) {
  const auto written = rota::write_all(STDOUT_FILENO, text);
  return written ? static_cast<int>(ExitCode::kDone) : end_with(written.error());
}

// Somebody may have given a secret in place of the configuration's path (P10).
rota::Error without_path(rota::Error error, const std::string& path) {
  if (rota::may_be_shown(path)) return error;
  const char* const argument = path.c_str();
  error.message = rota::without_secret_arguments(std::move(error.message), {&argument, 1});
  return error;
}

// What a start that reads a database and a roster has been given.
struct Given {
  boost::asio::io_context& loop;
  const rota::Clock& clock;
  rota::Log& log;
  rota::ServiceManager& manager;
  const rota::HiddenValues& hidden;
  const std::string& config_path;
};

// The daemon: its parts, each after those that it depends on; they end in the opposite order.
// Returns when it was told to stop, or with the reason why it could not start.
rota::Result<ExitCode> serve(const Given& given, const rota::Settings& settings) {
  ROTA_TRY(rota::check_only_ours(given.config_path));
  ROTA_TRY(rota::check_client_files(given.config_path));
  ROTA_ASSIGN(auto names, rota::GrantKeeper::look_up_at_start(given.loop, settings.grants));
  ROTA_ASSIGN(const rota::SecretPtr app_token, rota::read_app_token(settings));
  ROTA_ASSIGN(const auto client, rota::connect_to_circle(given.loop, settings, app_token));
  given.manager.starting("Loading the database",
                         rota::load_time_max(rota::database_bytes(settings.store.path)));
  ROTA_ASSIGN(const auto rotator,
              rota::load_rotator(
                  {.loop = given.loop, .clock = given.clock, .log = given.log, .client = *client},
                  settings));

  rota::DaemonNotes notes(rotator->audit_trail(), given.hidden);
  rota::FilesInForce files({.loop = given.loop,
                            .clock = given.clock,
                            .log = given.log,
                            .notes = notes,
                            .rotator = *rotator,
                            .client = *client,
                            .hidden = given.hidden},
                           {.config_path = given.config_path,
                            .settings = settings,
                            .names = std::move(names),
                            .app_token = rota::fingerprint_of(app_token->reveal())});
  rota::ConnectionLog connections(
      given.clock,
      [&log = given.log](rota::Severity severity, std::string_view text) {
        log.say(severity, "connection", text);
      },
      [&notes](rota::AuditEvent event, std::string_view detail) {
        notes.note(event, std::string(detail));
      });
  ROTA_ASSIGN(rota::Secret handle_key, rota::read_handle_key(settings));
  rota::CircleLogins logins(given.clock, std::move(handle_key));
  rota::SocketStanding sockets;
  rota::DaemonHealth health({.rotator = *rotator,
                             .files = files.standing(),
                             .sockets = sockets,
                             .connections = connections,
                             .logins = logins,
                             .log = given.log,
                             .hidden = given.hidden});
  rota::AdminDesk desk({.clock = given.clock,
                        .rotator = *rotator,
                        .roster = files.roster(),
                        .reloads = files.reloads()});

  const rota::AccessPolicy& policy = files.grants().policy();
  const auto token_socket = rota::Frontend::token_socket(*rotator, policy, health, &logins);
  const auto admin_socket = rota::Frontend::admin_socket(*rotator, policy, health, desk, &logins);
  const auto metrics_port = rota::Frontend::metrics_port(health);
  const rota::BearerClients& clients = files.clients().clients();
  const auto client_port = rota::Frontend::listener(
      *rotator, policy, health, {.clients = clients, .hosts = rota::ListenerHosts::kLoopback},
      &logins);
  const auto client_path = rota::Frontend::listener(
      *rotator, policy, health, {.clients = clients, .hosts = rota::ListenerHosts::kAny}, &logins);
  rota::Listeners listeners({.loop = given.loop,
                             .clock = given.clock,
                             .log = given.log,
                             .observer = connections,
                             .standing = sockets,
                             .token = token_socket,
                             .admin = admin_socket,
                             .metrics = metrics_port,
                             .client_port = client_port,
                             .client_path = client_path},
                            settings, settings.policy.max_in_flight);
  rota::DaemonLife life({.loop = given.loop,
                         .log = given.log,
                         .manager = given.manager,
                         .notes = notes,
                         .rotator = *rotator,
                         .files = files,
                         .listeners = listeners,
                         .connections = connections,
                         .health = health},
                        {.token_socket = settings.serve.token_socket,
                         .request_timeout = settings.upstream.request_timeout});
  ROTA_TRY(life.start());
  given.loop.run();
  return life.all_is_durable() ? ExitCode::kDone : ExitCode::kFailed;
}

int run(const rota::DaemonOptions& options) {
  rota::end_on_stop_signals();
  const char* notify_socket = std::getenv("NOTIFY_SOCKET");
  rota::ServiceManager manager(notify_socket == nullptr ? "" : notify_socket);
  const auto fail_with = [&manager](const rota::Error& error) {
    manager.failed(error);
    return end_with(error);
  };
  const auto settings = rota::load_settings(options.config);
  if (!settings) return fail_with(without_path(settings.error(), options.config));

  const rota::HiddenValues hidden(*settings);
  const rota::SystemClock clock;
  rota::Log log(settings->log_level, hidden);
  boost::asio::io_context loop(1);
  const auto served = serve({.loop = loop,
                             .clock = clock,
                             .log = log,
                             .manager = manager,
                             .hidden = hidden,
                             .config_path = options.config},
                            *settings);
  if (!served) return fail_with(hidden.hide(served.error()));
  return static_cast<int>(*served);
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
