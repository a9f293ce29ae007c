#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "api/access.h"
#include "api/frontend.h"
#include "base/result.h"
#include "base/time.h"
#include "http/limits.h"
#include "serve/connect_rate.h"
#include "serve/listen_socket.h"
#include "serve/session.h"
#include "serve/socket_closer.h"
#include "serve/turn.h"
#include "serve/turn_queue.h"

namespace rota {

enum class ConnectionLimit { kTotal, kPerUid, kRate };

// Is told what goes wrong at a server's socket. The daemon logs and counts it. Loop thread only.
class ServerObserver {
 public:
  virtual ~ServerObserver() = default;
  // A client was refused because it reached this limit.
  virtual void connection_refused(const PeerIdentity& peer, ConnectionLimit limit) = 0;
  // A request on a listener was refused at the door. For kTooMany, connection_refused() came first.
  virtual void request_refused(DoorRefusal why) = 0;
  // A request was answered with this error, for whatever reason.
  virtual void request_erred(ErrorCode code) = 0;
  // No connection could be accepted; the next attempt comes after a rest.
  virtual void accept_failed(std::error_code error) = 0;
};

// Accepts connections on one socket and keeps their sessions within the limits (P11). Loop thread
// only. Destroy it only if the loop no longer runs, or once shutdown() has called back.
//
// It serves connections that have something to do one after the other, by user and process
// (TurnQueue), for the length of a Turn. Then the loop does its other work.
class Server : private SessionHost {
 public:
  // The references must outlive the server. kIo if the loop cannot take the socket.
  static Result<std::unique_ptr<Server>> create(boost::asio::io_context& loop,
                                                std::unique_ptr<ListenSocket> listen,
                                                const Frontend& frontend, const Clock& clock,
                                                ServerObserver& observer,
                                                const ServerOptions& options);
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Begins to accept. Call it once.
  void start();

  // Ends in steps, so that no request is lost:
  // 1. It accepts no more. Clients in an inherited socket's queue stay there for the next process.
  //    Our own socket file is removed, and the clients in its queue are taken in.
  // 2. For `farewell`, each open connection is served once more, with `Connection: close`.
  // 3. Idle connections are closed, and requests that have arrived are answered.
  // 4. After `grace`, the rest is closed.
  // Calls `done` when no session is left, never from inside this call. Call it once.
  struct ShutdownTimes {
    Duration farewell{};
    Duration grace{};
  };
  void shutdown(const ShutdownTimes& times, std::move_only_function<void()> done);

  // Makes sure that clients find the socket at its path. If the file of our own socket is gone,
  // makes another and takes in the clients in the old one's queue. An error if clients do not find
  // it: kConfig for an inherited socket, which only the service manager can make again; otherwise
  // as of ListenSocket::bind().
  Result<void> keep_in_place();

  // The frontend's policy was replaced: open watches are judged by the new one.
  void grants_changed();
  // The clients of the frontend's door were replaced: connections of those that are gone are
  // closed.
  void clients_changed();

  // Ends sessions that are past their deadline. The server calls it by itself, at the first
  // deadline; a test calls it after it has moved its clock.
  void sweep();

  std::size_t connections() const { return sessions_.size(); }

 private:
  Server(boost::asio::io_context& loop, std::unique_ptr<ListenSocket> listen,
         const Frontend& frontend, const Clock& clock, ServerObserver& observer,
         const ServerOptions& options);

  void session_closed(Session& session) override;
  void session_deadline(BootTime deadline) override;
  void session_turn(Session& session) noexcept override;
  void session_look(Session& session) override;
  bool session_known(Session& session, const PeerIdentity& client) override;
  void session_refused(Session& session, DoorRefusal why) override;
  void session_erred(ErrorCode code) override { observer_.request_erred(code); }

  void wait_for_clients();
  void accept_some();
  bool somebody_waits();
  bool accept_one();
  void stop_accepting();
  void drain_sessions(Duration grace);
  std::vector<std::shared_ptr<Session>> all_sessions() const;
  void rest_from_accepting(Duration rest);
  void admit(int fd);
  std::optional<PeerIdentity> identify(int fd) const;
  std::optional<ConnectionLimit> reason_to_refuse(const PeerIdentity& peer);
  bool make_room(const PeerIdentity& peer, ConnectionLimit limit);
  std::optional<ConnectionLimit> limit_reached(const PeerIdentity& peer) const;
  bool has_too_many(const PeerIdentity& peer) const;
  void arm_sweep(BootTime due);
  void sweep_after(Duration rest);
  void finish_shutdown();
  void post_turns();
  void run_turns();

  // Constant after construction.
  boost::asio::io_context& loop_;
  const Frontend& frontend_;
  const Clock& clock_;
  ServerObserver& observer_;
  const ServerOptions options_;
  const bool knows_peers_;
  const bool may_bring_descriptors_;
  const std::string refusal_;  // the reply to a client for which there is no room

  // Loop thread only.
  std::unique_ptr<ListenSocket> listen_;
  boost::asio::posix::stream_descriptor acceptor_;  // the listening socket, Unix or TCP
  boost::asio::steady_timer rest_timer_;
  boost::asio::steady_timer sweep_timer_;
  boost::asio::steady_timer look_timer_;
  boost::asio::steady_timer grace_timer_;
  BootTime sweep_due_ = BootTime::max();  // when sweep_timer_ fires
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
  SocketCloser closer_;
  ConnectRate rate_;
  bool crowded_ = false;  // clients were still in the queue at the end of the last turn
  TurnQueue turns_;       // sessions that wait for on_turn()
  std::vector<std::weak_ptr<Session>> looks_;  // sessions that wait for look_again()
  Pauses pauses_;
  bool turns_posted_ = false;
  Turn::Clock::time_point turns_wait_since_;                    // if turns_posted_
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // false after destruction
  bool started_ = false;
  std::move_only_function<void()> shutdown_done_;
};

}  // namespace rota
