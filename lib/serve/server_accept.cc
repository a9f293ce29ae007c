#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "serve/peer.h"
#include "serve/server.h"

// Which clients are let in. Until that is decided, a client costs three system calls and no memory.
// So a loop of connect() is not faster than this, and the queue has room for others.

namespace rota {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// How long to wait while closer_ is full.
constexpr Duration kCloserRest{1};

}  // namespace

void Server::wait_for_clients() {
  acceptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
    if (!error && acceptor_.is_open()) accept_some();
  });
}

// False, with errno set, if nobody could be accepted.
bool Server::accept_one() {
  for (;;) {
    const int fd =
        ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      admit(fd);
      return true;
    }
    if (errno != EINTR && errno != ECONNABORTED) return false;
  }
}

void Server::accept_some() {
  const Turn turn;
  do {
    if (closer_.is_full()) return rest_from_accepting(kCloserRest);
    if (accept_one()) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      crowded_ = false;
      return wait_for_clients();
    }
    observer_.accept_failed({errno, std::system_category()});
    return rest_from_accepting(options_.accept_rest);
  } while (!turn.ended());
  pauses_.turn_ended();
  crowded_ = somebody_waits();
  wait_for_clients();
}

// A turn may also end because the machine is slow.
bool Server::somebody_waits() {
  pollfd queue{.fd = acceptor_.native_handle(), .events = POLLIN, .revents = 0};
  return ::poll(&queue, 1, 0) > 0;
}

// The client stays in the queue, so the socket stays readable, and a wait on it would spin.
void Server::rest_from_accepting(Duration rest) {
  rest_timer_.expires_after(rest);
  rest_timer_.async_wait([this](error_code error) {
    if (!error && acceptor_.is_open()) accept_some();
  });
}

std::optional<PeerIdentity> Server::identify(int fd) const {
  return knows_peers_ ? peer_of(fd) : kPeerUnknown;
}

std::optional<ConnectionLimit> Server::limit_reached(const PeerIdentity& peer) const {
  if (sessions_.size() >= options_.max_connections) return ConnectionLimit::kTotal;
  if (has_too_many(peer)) return ConnectionLimit::kPerUid;
  return std::nullopt;
}

bool Server::has_too_many(const PeerIdentity& peer) const {
  const bool unknown = frontend_.door() != nullptr && peer.client.empty();
  const std::size_t most =
      unknown ? options_.max_connections_unknown : options_.max_connections_per_uid;
  return turns_.counts(peer).of_user >= most;
}

// The session is let in already, so only the client's own limit counts.
bool Server::session_known(Session& session, const PeerIdentity& client) {
  turns_.leave(session);
  if (has_too_many(client)) make_room(client, ConnectionLimit::kPerUid);
  const bool room = !has_too_many(client);
  turns_.enter(session, room ? client : session.peer());
  if (!room) observer_.connection_refused(client, ConnectionLimit::kPerUid);
  return room;
}

void Server::session_refused(Session& /*session*/, DoorRefusal why) {
  observer_.request_refused(why);
}

std::optional<ConnectionLimit> Server::reason_to_refuse(const PeerIdentity& peer) {
  if (knows_peers_ && !rate_.take(peer, clock_.now().boot) && crowded_) {
    return ConnectionLimit::kRate;
  }
  const auto limit = limit_reached(peer);
  return limit && make_room(peer, *limit) ? std::nullopt : limit;
}

// The user with the most connections gives up its idlest one, if it has more than the newcomer's
// user. Otherwise the newcomer's own user does, if one of its processes has more than the
// newcomer's. Where the kernel does not tell processes apart, every newcomer replaces a connection
// that does nothing.
bool Server::make_room(const PeerIdentity& peer, ConnectionLimit limit) {
  const TurnQueue::Counts own = turns_.counts(peer);
  std::optional<TurnQueue::Crowd> crowd;
  if (limit == ConnectionLimit::kTotal) crowd = turns_.largest(std::nullopt);
  const TurnUser user = turn_user_of(peer);
  if (!crowd || crowd->counts.of_user <= own.of_user + 1) crowd = turns_.largest(user);
  if (!crowd) return false;
  const bool of_another = crowd->user != user;
  if (knows_peers_ && !of_another && crowd->counts.of_process <= own.of_process + 1) return false;
  Session* idlest = nullptr;
  for (TurnTaker* taker : turns_.connections(*crowd)) {
    auto* session = static_cast<Session*>(taker);
    const auto since = session->expendable_since();
    if (since && (idlest == nullptr || *since < *idlest->expendable_since())) idlest = session;
  }
  if (idlest == nullptr) return false;
  idlest->make_way();
  return !limit_reached(peer);
}

void Server::admit(int fd) {
  auto peer = identify(fd);
  const int unidentified = peer ? 0 : errno;
  const auto limit = peer ? reason_to_refuse(*peer) : std::nullopt;
  auto socket = std::make_unique<ClientSocket>(fd, may_bring_descriptors_, closer_);
  const auto fails = [this](int error) {
    observer_.accept_failed({error, std::system_category()});
  };
  if (!peer) return fails(unidentified);
  const bool reserved = fd >= options_.descriptors_end;
  if (limit || reserved) {
    // One attempt: a new socket has room for such a short reply, and a client that does not read it
    // loses nothing.
    (void)::send(fd, refusal_.data(), refusal_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (limit) return observer_.connection_refused(*peer, *limit);
    return fails(EMFILE);
  }
  if (knows_peers_ && !add_groups(fd, *peer)) return fails(errno);
  SessionHost& host = *this;
  const auto session = std::make_shared<Session>(std::move(socket), *std::move(peer), frontend_,
                                                 clock_, options_.times, host);
  turns_.enter(*session, session->peer());
  if (!session->start(loop_)) {
    fails(errno);
    return turns_.leave(*session);
  }
  sessions_.emplace(session.get(), session);
  session_deadline(session->deadline());
  // It may have sent a request already: then it need not wait for the loop to say so.
  session_turn(*session);
}

// If nobody inherits the socket, we must answer its queue: clients in it have connected, and may
// have sent requests.
void Server::stop_accepting() {
  listen_->remove_file();
  if (started_ && !listen_->inherited()) {
    // Bounded, since at a TCP port clients may come without end.
    for (int i = 0; i < SOMAXCONN && !closer_.is_full() && accept_one(); ++i) {
    }
  }
  // This also closes the connections that are still in its queue, so it may block.
  if (may_bring_descriptors_ && acceptor_.is_open()) closer_.close(acceptor_.release());
  error_code ignored;
  acceptor_.close(ignored);
  rest_timer_.cancel();
  listen_.reset();
}

Result<void> Server::keep_in_place() {
  if (!started_ || listen_ == nullptr || listen_->is_in_place()) return {};
  if (listen_->inherited()) {
    return fail(
        ErrorKind::kConfig,
        fmt::format("{}: the file is gone or was replaced, and only systemd can create it again",
                    listen_->path()));
  }
  ROTA_ASSIGN(auto fresh, listen_->bind_again());
  // Clients in the old socket's queue have connected, so they are taken in.
  for (int i = 0; i < SOMAXCONN && !closer_.is_full() && accept_one(); ++i) {
  }
  rest_timer_.cancel();
  error_code error;
  acceptor_.close(error);
  acceptor_.assign(fresh->fd(), error);
  if (error) return fail(ErrorKind::kIo, fmt::format("listening socket: {}", error.message()));
  fresh->release_fd();
  listen_ = std::move(fresh);
  wait_for_clients();
  return {};
}

}  // namespace rota
