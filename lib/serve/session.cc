#include "serve/session.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "base/check.h"
#include "http/event_stream.h"
#include "http/request_body.h"

namespace rota {

Session::Session(std::unique_ptr<ClientSocket> socket, PeerIdentity peer, const Frontend& frontend,
                 const Clock& clock, const SessionTimes& times, SessionHost& host)
    : frontend_(frontend),
      clock_(clock),
      times_(times),
      host_(host),
      peer_(std::move(peer)),
      socket_(std::move(socket)) {}

Session::~Session() { ROTA_CHECK(is_closed()); }

bool Session::is_closed() const {
  switch (life_) {
    case Life::kOpen:
    case Life::kLeaving:
      return false;
    case Life::kClosed:
      return true;
  }
  ROTA_CHECK(false);
}

bool Session::next_reply_is_last() const {
  switch (life_) {
    case Life::kOpen:
      return false;
    case Life::kLeaving:
    case Life::kClosed:
      return true;
  }
  ROTA_CHECK(false);
}

bool Session::start(boost::asio::io_context& loop) {
  now_ = active_since_ = clock_.now().boot;
  events_ = SocketEvents::create(loop, socket_->fd(), *this);
  if (!events_) life_ = Life::kClosed;
  return events_ != nullptr;
}

void Session::say_goodbye() {
  if (is_closed()) return;
  life_ = Life::kLeaving;
  // Its last replies are those to what it has asked for already. A watch has no further reply that
  // could say "Connection: close".
  if (watch_ || !replies_.empty()) drain();
}

void Session::drain() {
  if (is_closed()) return;
  life_ = Life::kLeaving;
  watch_.reset();
  now_ = clock_.now().boot;
  shut_for_reading();
  if (is_last(input_.data())) {
    intake_.finish();
    replies_.close_behind_last();
  }
  pump();
}

// From now on a client's send fails, and everything that it sent before can be read.
void Session::shut_for_reading() {
  intake_.shut();
  (void)::shutdown(socket_->fd(), SHUT_RD);
  read_rest();
}

// Even if no more requests are taken: if we close a socket with bytes unread, the client gets an
// error and loses its last replies.
void Session::read_rest() {
  while (!intake_.has_ended() && !input_.full()) {
    const ssize_t count = socket_->receive(input_.room());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return intake_.end();  // if it is an error, the next send meets it too
    input_.added(static_cast<std::size_t>(count));
  }
}

// Whether `rest` has nothing that we can answer, and nothing more will come.
bool Session::is_last(std::string_view rest) const {
  if (!intake_.has_ended()) return false;
  const auto result = parse_head(rest);
  if (std::holds_alternative<HeadError>(result)) return false;
  const auto* head = std::get_if<RequestHead>(&result);
  if (head == nullptr) return true;
  return std::holds_alternative<NeedMore>(find_body(*head, rest.substr(head->head_bytes)));
}

void Session::close() {
  if (is_closed()) return;
  life_ = Life::kClosed;
  for (const WaitId wait : replies_.clear()) frontend_.tokens().cancel_wait(wait);
  watch_.reset();
  events_.reset();
  socket_->close();
  host_.session_closed(*this);
}

std::optional<BootTime> Session::expendable_since() const {
  if (!replies_.empty() || watch_) return std::nullopt;
  return unsent_since_.value_or(request_since_.value_or(active_since_));
}

void Session::make_way() {
  if (unsent_since_) return close();
  drain();
}

void Session::grants_changed() {
  if (watch_) watch_->grants_changed();
}

// A turn makes a system call only if it may find something. So a watch costs none for input that is
// not there, or to see whether its client is gone.
void Session::on_turn(BootTime now) {
  if (is_closed()) return;
  now_ = now;
  switch (news_) {
    case News::kNone:
    case News::kAllHad:
      return pump();
    case News::kMore:
      return can_receive() ? receive() : pump();
    case News::kUnseen:
      if (can_receive()) return receive();
      news_ = News::kMore;
      return hung_up() ? close() : pump();
  }
}

void Session::look_again() {
  look_wanted_ = false;
  if (life_ == Life::kClosed || news_ != News::kAllHad) return;
  news_ = News::kMore;
  host_.session_turn(*this);
}

BootTime Session::deadline() const {
  BootTime earliest = BootTime::max();
  if (unsent_since_) earliest = std::min(earliest, *unsent_since_ + times_.write_stall);
  if (request_since_) earliest = std::min(earliest, *request_since_ + times_.head);
  const bool idle = replies_.empty() && !unsent_since_ && !request_since_;
  if (!idle) return earliest;
  if (frontend_.door() != nullptr && !shown_) return active_since_ + times_.head;
  return active_since_ + (watch_ ? times_.heartbeat : times_.idle);
}

void Session::on_deadline() {
  if (is_closed()) return;
  if (!watch_ || unsent_since_) return close();
  now_ = clock_.now().boot;
  append_heartbeat(output_);
  pump();
}

void Session::input_may_be_there() noexcept {
  news_ = News::kUnseen;
  host_.session_turn(*this);
}

void Session::room_may_be_there() noexcept { host_.session_turn(*this); }

// Whether the client has closed both directions, so that it wants no more replies.
bool Session::hung_up() const {
  pollfd socket{.fd = socket_->fd(), .events = 0, .revents = 0};
  return ::poll(&socket, 1, 0) == 1 && (socket.revents & (POLLHUP | POLLERR)) != 0;
}

// Reads everything even if the client is gone: it may have left an operator's order behind.
void Session::receive() {
  std::span<char> room = input_.room();
  room = room.first(std::min(room.size(), kReceiveBytesMax));
  const ssize_t count = socket_->receive(room);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) return close();
    news_ = errno == EINTR ? News::kMore : News::kNone;
    return pump();
  }
  // A fetch is a short read. Epoll reports what comes after it, and a second read would find
  // nothing; but an end that came together with the request is not reported again.
  const bool all_had = count > 0 && static_cast<std::size_t>(count) < room.size();
  news_ = all_had ? News::kAllHad : News::kMore;
  if (count == 0) {
    // After a half-close requests are still answered. A client that is gone wants no replies.
    if (hung_up()) return close();
    intake_.end();
  }
  input_.added(static_cast<std::size_t>(count));
  active_since_ = now_;
  pump();
}

void Session::on_wait_done(ReplyNumber number, WaitAnswer answer) {
  if (!replies_.settle(number, answer)) return;
  now_ = active_since_ = clock_.now().boot;
  pump();
}

void Session::on_later_done(ReplyNumber number, PlainReply reply) {
  if (!replies_.finish(number, std::move(reply))) return;
  now_ = active_since_ = clock_.now().boot;
  pump();
}

void Session::pump() {
  const bool output_filled = fill_output();
  if (!flush()) return close();
  // There is more to render, but others have their turns first.
  if (output_filled && output_.empty()) host_.session_turn(*this);
  if (intake_.is_done() && replies_.empty() && output_.empty() && !watch_) return close();
  const bool partial = can_take() && !input_.empty();
  if (!partial) {
    request_since_.reset();
  } else if (!request_since_) {
    request_since_ = now_;
  }
  host_.session_deadline(deadline());
  if (!output_.empty()) events_->tell_of_room();
  if (news_ == News::kNone || !can_receive()) return;
  if (news_ != News::kAllHad) return host_.session_turn(*this);
  if (!std::exchange(look_wanted_, true)) host_.session_look(*this);
}

// Returns whether it stopped because the output buffer is full.
bool Session::fill_output() {
  for (;;) {
    render_ready();
    if (watch_) watch_->fill(output_);
    if (output_full()) return true;
    if (!can_take() || !take_request()) return false;
  }
}

// Returns whether there was a request, or an error that ends the connection with a reply.
bool Session::take_request() {
  if (intake_.is_shut()) read_rest();
  const std::string_view input = input_.data();
  auto result = parse_head(input);
  if (const auto* error = std::get_if<HeadError>(&result)) return refuse(*error);
  auto* head = std::get_if<RequestHead>(&result);
  if (head == nullptr) return wait_for_rest(nullptr);
  const auto body = find_body(*head, input.substr(head->head_bytes));
  if (const auto* error = std::get_if<HeadError>(&body)) return refuse(*error);
  const auto* found = std::get_if<FoundBody>(&body);
  if (found == nullptr) return wait_for_rest(head);
  const std::size_t bytes = head->head_bytes + found->sent_bytes;
  if (next_reply_is_last()) {
    if (intake_.is_open()) {  // read what came with it, and then look at everything again
      shut_for_reading();
      return true;
    }
    head->close |= is_last(input.substr(bytes));
  }
  intake_.request_taken();
  if (head->close) intake_.finish();
  if (may_enter(*head)) {
    const std::string_view sent = input.substr(head->head_bytes, found->sent_bytes);
    if (head->chunked) {
      dispatch(*head, join_chunks(sent, found->bytes).reveal());
    } else {
      dispatch(*head, sent);
    }
  }
  input_.consume(bytes);
  request_since_.reset();
  return true;
}

// Nobody knows where the next request begins, so this is the connection's last reply.
bool Session::refuse(const HeadError& error) {
  intake_.finish();
  replies_.add({.close = true, .head_only = error.head_only},
               frontend_.refusal(error.path, error_reply(error.code, std::string(error.why))));
  return true;
}

// For a request that is not complete. Returns whether it added something to send.
bool Session::wait_for_rest(const RequestHead* head) {
  if (intake_.has_ended()) {
    intake_.finish();
    return false;
  }
  if (head == nullptr) {
    input_.consume(empty_lines_before(input_.data()));  // else they would count as a slow request
    return false;
  }
  if (!head->expects_continue || !intake_.invite_body()) return false;
  // Whoever is turned away need not send a body first.
  if (may_enter(*head)) replies_.add({}, Continue{});
  return true;
}

// Sends as much as the kernel takes. False if the peer is gone.
bool Session::flush() {
  bool progress = false;
  while (!output_.empty()) {
    const auto bytes = output_.data();
    const ssize_t sent = ::send(socket_->fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0) return false;
    output_.consume(static_cast<std::size_t>(sent));
    progress = true;
  }
  if (progress && watch_) active_since_ = now_;
  if (output_.empty()) {
    unsent_since_.reset();
  } else if (progress || !unsent_since_) {
    unsent_since_ = now_;
  }
  return true;
}

}  // namespace rota
