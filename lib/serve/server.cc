#include "serve/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/check.h"

namespace rota {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// How late the end of a connection may be seen if it came together with its last request.
constexpr Duration kLookDelay{5};

std::string refusal() {
  Buffer reply;
  ErrorReply error = error_reply(ErrorCode::kTooManyConnections);
  error.retry_after = std::chrono::seconds{1};
  append_error(reply, error, {.close = true});
  return std::string(reply.data());
}

}  // namespace

Server::Server(asio::io_context& loop, std::unique_ptr<ListenSocket> listen,
               const Frontend& frontend, const Clock& clock, ServerObserver& observer,
               const ServerOptions& options)
    : loop_(loop),
      frontend_(frontend),
      clock_(clock),
      observer_(observer),
      options_(options),
      knows_peers_(listen->knows_peers() && frontend.door() == nullptr),
      may_bring_descriptors_(listen->may_bring_descriptors()),
      refusal_(refusal()),
      listen_(std::move(listen)),
      acceptor_(loop),
      rest_timer_(loop),
      sweep_timer_(loop),
      look_timer_(loop),
      grace_timer_(loop) {}

Result<std::unique_ptr<Server>> Server::create(asio::io_context& loop,
                                               std::unique_ptr<ListenSocket> listen,
                                               const Frontend& frontend, const Clock& clock,
                                               ServerObserver& observer,
                                               const ServerOptions& options) {
  std::unique_ptr<Server> server(
      new Server(loop, std::move(listen), frontend, clock, observer, options));
  error_code error;
  server->acceptor_.assign(server->listen_->fd(), error);
  if (error) return fail(ErrorKind::kIo, fmt::format("listening socket: {}", error.message()));
  server->listen_->release_fd();
  return server;
}

Server::~Server() {
  *alive_ = false;
  const auto sessions = std::exchange(sessions_, {});
  for (const auto& [key, session] : sessions) session->close();
}

void Server::start() {
  started_ = true;
  wait_for_clients();
}

void Server::session_closed(Session& session) {
  turns_.leave(session);
  const auto found = sessions_.find(&session);
  if (found == sessions_.end()) return;  // the server's own destruction
  sessions_.erase(found);
  if (sessions_.empty() && shutdown_done_) finish_shutdown();
}

void Server::session_deadline(BootTime deadline) {
  if (deadline < sweep_due_) arm_sweep(deadline);
}

void Server::session_turn(Session& session) noexcept {
  turns_.push(session);
  if (!std::exchange(turns_posted_, true)) post_turns();
}

// One timer for all of them: under load the next request comes before it, and nothing is left to
// look for.
void Server::session_look(Session& session) {
  looks_.push_back(session.weak_from_this());
  if (looks_.size() > 1) return;
  look_timer_.expires_after(kLookDelay);
  look_timer_.async_wait([this, alive = alive_](error_code error) {
    if (error || !*alive) return;
    for (const auto& look : std::exchange(looks_, {})) {
      if (const auto session = look.lock()) session->look_again();
    }
  });
}

void Server::post_turns() {
  turns_wait_since_ = Turn::Clock::now();
  asio::post(loop_, [this, alive = alive_] {
    if (*alive) run_turns();
  });
}

// A session may ask for another turn within its turn. It may also close, and with the last session
// this server may be destroyed.
void Server::run_turns() {
  const Turn turn = Turn::after(std::max<Turn::Clock::duration>(
      Turn::Clock::now() - turns_wait_since_,
      turns_.is_of_one_process() ? kTurnAlone : Turn::Clock::duration::zero()));
  const BootTime now = clock_.now().boot;  // a turn is too short for another look at the clock
  const auto alive = alive_;
  do {
    TurnTaker* next = turns_.pop();
    if (next == nullptr) {
      turns_posted_ = false;
      return;
    }
    const auto session = static_cast<Session*>(next)->shared_from_this();
    session->on_turn(now);
    if (!*alive) return;
  } while (!turn.ended());
  pauses_.turn_ended();
  post_turns();
}

void Server::grants_changed() {
  for (const auto& [key, session] : sessions_) session->grants_changed();
}

void Server::clients_changed() {
  for (const auto& session : all_sessions()) session->clients_changed();
}

void Server::arm_sweep(BootTime due) {
  const BootTime now = clock_.now().boot;
  // Rather late than often; and not longer than a timer can count.
  const Duration rest =
      std::clamp<Duration>(due - now, options_.sweep_spacing,
                           std::max<Duration>(options_.sweep_spacing, std::chrono::hours{24}));
  sweep_due_ = std::max(due, now + options_.sweep_spacing);
  sweep_after(rest);
}

void Server::sweep_after(Duration rest) {
  sweep_timer_.expires_after(rest);
  sweep_timer_.async_wait([this](error_code error) {
    if (!error) sweep();
  });
}

void Server::sweep() {
  sweep_due_ = BootTime::max();
  const BootTime now = clock_.now().boot;
  BootTime next = BootTime::max();
  std::vector<std::shared_ptr<Session>> overdue;
  for (const auto& [key, session] : sessions_) {
    const BootTime deadline = session->deadline();
    if (deadline <= now) {
      overdue.push_back(session);
    } else {
      next = std::min(next, deadline);
    }
  }
  const Turn turn;
  for (const auto& session : overdue) {
    session->on_deadline();
    if (session != overdue.back() && turn.ended()) {
      pauses_.turn_ended();
      sweep_due_ = BootTime::min();
      return sweep_after(Duration{0});
    }
  }
  if (next != BootTime::max()) session_deadline(next);
}

void Server::shutdown(const ShutdownTimes& times, std::move_only_function<void()> done) {
  ROTA_CHECK(!shutdown_done_);
  shutdown_done_ = std::move(done);
  stop_accepting();
  if (sessions_.empty()) return finish_shutdown();
  // Set the timer first: the last session may end in the loop below, and finish_shutdown() must
  // then cancel it.
  grace_timer_.expires_after(times.farewell);
  grace_timer_.async_wait([this, grace = times.grace](error_code error) {
    if (!error) drain_sessions(grace);
  });
  for (const auto& session : all_sessions()) session->say_goodbye();
}

void Server::drain_sessions(Duration grace) {
  grace_timer_.expires_after(grace);
  grace_timer_.async_wait([this](error_code error) {
    if (error) return;
    for (const auto& session : all_sessions()) session->close();
  });
  for (const auto& session : all_sessions()) session->drain();
}

// A copy, since sessions leave sessions_ while a caller goes through them.
std::vector<std::shared_ptr<Session>> Server::all_sessions() const {
  std::vector<std::shared_ptr<Session>> all;
  for (const auto& [key, session] : sessions_) all.push_back(session);
  return all;
}

void Server::finish_shutdown() {
  grace_timer_.cancel();
  sweep_timer_.cancel();
  look_timer_.cancel();
  asio::post(loop_, std::exchange(shutdown_done_, {}));
}

}  // namespace rota
