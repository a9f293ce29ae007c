#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/frontend.h"
#include "base/result.h"
#include "base/time.h"
#include "daemon/descriptors.h"
#include "daemon/log.h"
#include "daemon/service_manager.h"
#include "report/health.h"
#include "serve/server.h"
#include "settings/settings.h"

namespace rota {

// What Health shows of the sockets: why clients do not find one (empty: they do), and who is there.
struct SocketStanding {
  // The open connections now. Null once there are no sockets.
  std::function<Health::Connections()> connections{};
  std::string file_problem;      // of a socket that was open and lost its file
  std::string metrics_problem;   // the port of metrics_listen
  std::string listener_problem;  // a [[listener]]; one sentence each
};

// The daemon's sockets: the token socket, the admin socket, the listeners for clients with a bearer
// token and, with metrics_listen, the metrics port. Opens them, shares out the descriptors of the
// process among them, and creates a socket's file again if somebody removed it. A problem is logged
// once and kept in `standing`. Loop thread only; destroy it when the loop no longer runs.
class Listeners {
 public:
  struct Parts {  // all outlive the listeners
    boost::asio::io_context& loop;
    const Clock& clock;
    Log& log;
    ServerObserver& observer;
    SocketStanding& standing;
    // What each socket answers.
    const Frontend& token;
    const Frontend& admin;
    const Frontend& metrics;
    const Frontend& client_port;  // a listener at an address
    const Frontend& client_path;  // a listener at a path
  };

  // `calls_max`: how many connections to Circle need descriptors too.
  Listeners(Parts parts, const Settings& settings, std::size_t calls_max);
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Takes over the sockets that systemd passes, and creates the others. From here on clients can
  // connect and wait. kConfig or kIo: the token socket or the admin socket cannot be opened. A
  // listener or a metrics port that cannot be opened is no error: it is tried again, because
  // another program may use it for a while, and those two sockets must not end with it.
  Result<void> open();
  // Begins to serve clients. To be called once, after open().
  void start();
  // Server::shutdown() for all of them. `done` is called when all have ended.
  void shutdown(const Server::ShutdownTimes& times, std::move_only_function<void()> done);

  // Creates a socket's file again if somebody removed it. To be called every few seconds.
  void keep_in_place();
  // The policy was replaced: open connections are judged by the new one. May be called before
  // open().
  void grants_changed();
  // The clients were replaced: connections of those that are gone are closed. As grants_changed().
  void clients_changed();
  // Open connections of all sockets but the metrics port.
  std::size_t connections() const;

 private:
  Health::Connections connections_by_socket() const;

  enum class State { kOpening, kServing, kEnding };

  Result<void> open_sockets(InheritedSockets inherited);
  Result<std::unique_ptr<Server>> open_server(std::unique_ptr<ListenSocket> inherited,
                                              const std::string& path, mode_t mode,
                                              std::optional<gid_t> group, const Frontend& frontend,
                                              const ServerOptions& options) const;
  Result<void> open_listeners(std::vector<std::unique_ptr<ListenSocket>> inherited);
  void open_waiting_listeners();
  Result<void> try_listener(const ListenerSettings& listener);
  Result<void> add_listener(std::unique_ptr<ListenSocket> listen);
  std::vector<Server*> servers() const;  // all but the metrics port
  void open_metrics();
  Result<void> try_metrics();
  void try_metrics_later();
  void one_ended();

  const Parts parts_;
  const ServeSettings settings_;
  const std::vector<ListenerSettings> listeners_;
  const std::size_t calls_max_;
  DescriptorShare descriptors_;
  State state_ = State::kOpening;
  std::unique_ptr<Server> token_;
  std::unique_ptr<Server> admin_;
  std::vector<std::unique_ptr<Server>> clients_;
  std::size_t listener_count_ = 0;         // clients_, and those that are not open yet
  std::vector<ListenerSettings> waiting_;  // those
  boost::asio::steady_timer listeners_again_;
  Duration listeners_pause_{0};
  std::unique_ptr<Server> metrics_;  // null: rotad is not listening on metrics_listen
  boost::asio::steady_timer metrics_again_;
  Duration metrics_pause_{0};
  std::size_t ending_ = 0;  // servers that have not ended yet
  std::move_only_function<void()> ended_;
};

}  // namespace rota
