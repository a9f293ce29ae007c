#include "daemon/listeners.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "settings/accounts.h"

namespace rota {
namespace {

constexpr mode_t kAdminSocketMode = S_IRUSR | S_IWUSR;
constexpr Duration kAgainMin{1'000};
constexpr Duration kAgainMax{30'000};

Result<std::optional<gid_t>> group_id(const std::string& name) {
  if (name.empty()) return std::optional<gid_t>{};
  auto id = find_group(name);
  if (id) return std::optional<gid_t>{*id};
  return fail(id.error().kind, "[serve] token_socket_group: " + id.error().message);
}

std::string text_of(const ListenAddress& at) {
  return at.host.contains(':') ? fmt::format("[{}]:{}", at.host, at.port)
                               : fmt::format("{}:{}", at.host, at.port);
}

}  // namespace

Listeners::Listeners(Parts parts, const Settings& settings, std::size_t calls_max)
    : parts_(parts),
      settings_(settings.serve),
      listeners_(settings.listeners),
      calls_max_(calls_max),
      listeners_again_(parts_.loop),
      metrics_again_(parts_.loop) {
  parts_.standing.connections = [this] { return connections_by_socket(); };
}

Listeners::~Listeners() { parts_.standing.connections = nullptr; }

Result<void> Listeners::open() {
  ROTA_ASSIGN(InheritedSockets inherited, inherited_sockets());
  const std::size_t limit = raise_descriptor_limit();
  ROTA_ASSIGN(descriptors_, share_descriptors(limit, settings_, calls_max_,
                                              !listeners_.empty() || !inherited.clients.empty()));
  if (descriptors_.token_clients < settings_.max_connections) {
    parts_.log.say(Severity::kWarning, "connection",
                   fmt::format("max_connections = {} needs more than {} open files (LimitNOFILE=, "
                               "ulimit -n): rotad uses {}",
                               settings_.max_connections, limit, descriptors_.token_clients));
  }
  auto clients = std::move(inherited.clients);
  ROTA_TRY(open_sockets(std::move(inherited)));
  ROTA_TRY(open_listeners(std::move(clients)));
  open_metrics();
  return {};
}

Result<void> Listeners::open_sockets(InheritedSockets inherited) {
  ServerOptions token;
  token.max_connections = descriptors_.token_clients;
  token.max_connections_per_uid = settings_.max_connections_per_uid;
  token.descriptors_end = descriptors_.clients_end;
  ServerOptions admin;
  admin.max_connections = admin.max_connections_per_uid = kAdminConnectionsMax;
  admin.descriptors_end = descriptors_.admin_end;
  std::optional<gid_t> group;  // of a file that we make; an inherited socket has its own
  if (!inherited.token) {
    ROTA_ASSIGN(group, group_id(settings_.token_socket_group));
  }
  ROTA_ASSIGN(token_, open_server(std::move(inherited.token), settings_.token_socket,
                                  settings_.token_socket_mode, group, parts_.token, token));
  ROTA_ASSIGN(admin_, open_server(std::move(inherited.admin), settings_.admin_socket,
                                  kAdminSocketMode, std::nullopt, parts_.admin, admin));
  return {};
}

Result<std::unique_ptr<Server>> Listeners::open_server(std::unique_ptr<ListenSocket> inherited,
                                                       const std::string& path, mode_t mode,
                                                       std::optional<gid_t> group,
                                                       const Frontend& frontend,
                                                       const ServerOptions& options) const {
  auto listen = std::move(inherited);
  if (!listen) {
    ROTA_ASSIGN(listen, ListenSocket::bind(path, mode, group));
  }
  return Server::create(parts_.loop, std::move(listen), frontend, parts_.clock, parts_.observer,
                        options);
}

// What systemd passes is served whether or not the configuration has it, as for the other sockets.
Result<void> Listeners::open_listeners(std::vector<std::unique_ptr<ListenSocket>> inherited) {
  std::vector<std::unique_ptr<ListenSocket>> all = std::move(inherited);
  const auto is_there = [&all](const std::string& place) {
    return std::ranges::any_of(all, [&](const auto& listen) {
      return listen->path() == place || listen->address() == place;
    });
  };
  for (const ListenerSettings& listener : listeners_) {
    const std::string place = listener.address ? text_of(*listener.address) : listener.path;
    if (!is_there(place)) waiting_.push_back(listener);
  }
  listener_count_ = all.size() + waiting_.size();
  for (auto& listen : all) ROTA_TRY(add_listener(std::move(listen)));
  open_waiting_listeners();
  return {};
}

void Listeners::open_waiting_listeners() {
  std::string problem;
  std::erase_if(waiting_, [&](const ListenerSettings& listener) {
    const auto opened = try_listener(listener);
    if (!opened) problem += (problem.empty() ? "" : "; ") + opened.error().message;
    return opened.has_value();
  });
  if (std::string& told = parts_.standing.listener_problem; told != problem) {
    told = problem;
    parts_.log.say(problem.empty() ? Severity::kInfo : Severity::kWarning, "listener",
                   problem.empty() ? "rotad is listening on each [[listener]] now"
                                   : fmt::format("{}; rotad tries again", problem));
  }
  if (waiting_.empty()) return;
  listeners_pause_ = std::clamp(2 * listeners_pause_, kAgainMin, kAgainMax);
  listeners_again_.expires_after(listeners_pause_);
  listeners_again_.async_wait([this](const boost::system::error_code& error) {
    if (!error && state_ != State::kEnding) open_waiting_listeners();
  });
}

Result<void> Listeners::try_listener(const ListenerSettings& listener) {
  auto listen = listener.address
                    ? ListenSocket::bind_tcp(listener.address->host, listener.address->port)
                    : ListenSocket::bind(listener.path, listener.mode, std::nullopt);
  if (!listen) return fail(listen.error().kind, "[[listener]]: " + listen.error().message);
  ROTA_TRY(add_listener(*std::move(listen)));
  if (state_ == State::kServing) clients_.back()->start();
  return {};
}

// Whoever fills one listener takes nothing from the others.
Result<void> Listeners::add_listener(std::unique_ptr<ListenSocket> listen) {
  ServerOptions options;
  options.max_connections =
      std::max<std::size_t>(descriptors_.listener_clients / listener_count_, 2);
  options.max_connections_per_uid = settings_.max_connections_per_uid;
  options.max_connections_unknown =
      std::min(options.max_connections_unknown, options.max_connections / 2);
  options.descriptors_end = descriptors_.clients_end;
  const Frontend& frontend = listen->knows_peers() ? parts_.client_path : parts_.client_port;
  ROTA_ASSIGN(auto server, Server::create(parts_.loop, std::move(listen), frontend, parts_.clock,
                                          parts_.observer, options));
  clients_.push_back(std::move(server));
  return {};
}

// A network's address may not be up yet, either.
void Listeners::open_metrics() {
  if (!settings_.metrics_listen) return;
  if (const auto opened = try_metrics(); !opened) {
    std::string& told = parts_.standing.metrics_problem;
    if (told != opened.error().message) {
      told = opened.error().message;
      parts_.log.say(Severity::kWarning, "metrics", fmt::format("{}; rotad tries again", told));
    }
    return try_metrics_later();
  }
  if (!std::exchange(parts_.standing.metrics_problem, {}).empty()) {
    parts_.log.say(Severity::kInfo, "metrics", "rotad is listening on metrics_listen now");
  }
  if (state_ == State::kServing) metrics_->start();
}

Result<void> Listeners::try_metrics() {
  const auto& address = settings_.metrics_listen;
  auto listen = ListenSocket::bind_tcp(address->host, address->port);
  if (!listen) {
    return fail(listen.error().kind, "[serve] metrics_listen: " + listen.error().message);
  }
  // All TCP clients count as one peer.
  ServerOptions options;
  options.max_connections = kMetricsConnectionsMax;
  options.max_connections_per_uid = kMetricsConnectionsMax;
  options.descriptors_end = descriptors_.clients_end;
  ROTA_ASSIGN(metrics_, Server::create(parts_.loop, *std::move(listen), parts_.metrics,
                                       parts_.clock, parts_.observer, options));
  return {};
}

void Listeners::try_metrics_later() {
  metrics_pause_ = std::clamp(2 * metrics_pause_, kAgainMin, kAgainMax);
  metrics_again_.expires_after(metrics_pause_);
  metrics_again_.async_wait([this](const boost::system::error_code& error) {
    if (!error && state_ != State::kEnding) open_metrics();
  });
}

void Listeners::start() {
  state_ = State::kServing;
  for (Server* server : servers()) server->start();
  if (metrics_) metrics_->start();
}

void Listeners::shutdown(const Server::ShutdownTimes& times, std::move_only_function<void()> done) {
  state_ = State::kEnding;
  listeners_again_.cancel();
  metrics_again_.cancel();
  ended_ = std::move(done);
  std::vector<Server*> all = servers();
  if (metrics_) all.push_back(metrics_.get());
  ending_ = all.size();
  for (Server* server : all) server->shutdown(times, [this] { one_ended(); });
}

void Listeners::one_ended() {
  if (--ending_ == 0) std::exchange(ended_, nullptr)();
}

void Listeners::keep_in_place() {
  std::string problem;
  for (Server* server : servers()) {
    const Result<void> kept = server->keep_in_place();
    if (!kept && problem.empty()) problem = kept.error().message;
  }
  if (problem == parts_.standing.file_problem) return;
  parts_.standing.file_problem = problem;
  parts_.log.say(problem.empty() ? Severity::kInfo : Severity::kError, "socket",
                 problem.empty() ? "all sockets are back in their places" : problem);
}

void Listeners::grants_changed() {
  for (Server* server : servers()) server->grants_changed();
}

void Listeners::clients_changed() {
  for (const auto& server : clients_) server->clients_changed();
}

Health::Connections Listeners::connections_by_socket() const {
  const auto of = [](const Server* server) {
    return server == nullptr ? std::size_t{0} : server->connections();
  };
  Health::Connections open{.token = of(token_.get()),
                           .admin = of(admin_.get()),
                           .listener = 0,
                           .metrics = of(metrics_.get())};
  for (const auto& server : clients_) open.listener += of(server.get());
  return open;
}

std::size_t Listeners::connections() const {
  std::size_t all = 0;
  for (const Server* server : servers()) all += server->connections();
  return all;
}

std::vector<Server*> Listeners::servers() const {
  std::vector<Server*> all;
  for (Server* server : {token_.get(), admin_.get()}) {
    if (server != nullptr) all.push_back(server);
  }
  for (const auto& server : clients_) all.push_back(server.get());
  return all;
}

}  // namespace rota
