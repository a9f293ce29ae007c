#include "serve/session.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/check.h"
#include "serve/event_stream.h"

namespace rota {

Session::Session(std::unique_ptr<ClientSocket> socket, PeerIdentity peer, const Frontend& frontend,
                 const Clock& clock, const SessionTimes& times, SessionHost& host)
    : peer_(std::move(peer)),
      frontend_(frontend),
      clock_(clock),
      times_(times),
      host_(host),
      socket_(std::move(socket)) {}

Session::~Session() { ROTA_CHECK(closed_); }

bool Session::start(boost::asio::io_context& loop) {
  now_ = active_since_ = clock_.now().boot;
  events_ = SocketEvents::create(loop, socket_->fd(), *this);
  closed_ = !events_;
  return !closed_;
}

void Session::say_goodbye() {
  if (closed_) return;
  leaving_ = true;
  // What it has asked for already is the last; a stream has no reply that could say anything.
  if (watch_ || !slots_.empty()) drain();
}

void Session::drain() {
  if (closed_) return;
  leaving_ = true;
  watch_.reset();
  now_ = clock_.now().boot;
  close_intake();
  if (taking_ && is_last(input())) {
    taking_ = false;
    if (!slots_.empty()) slots_.back().form.close = true;
  }
  pump();
}

// From here on a client's send fails, and what was sent before is all here to be read.
void Session::close_intake() {
  draining_ = true;
  (void)::shutdown(socket_->fd(), SHUT_RD);
  read_rest();
}

void Session::read_rest() {
  compact_input();
  while (!read_closed_ && input_end_ < input_.size()) {
    const ssize_t count = socket_->receive(std::span(input_).subspan(input_end_));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {  // an error is met again by who sends
      read_closed_ = true;
    } else {
      input_end_ += static_cast<std::size_t>(count);
    }
  }
}

// Whether nothing that can be answered follows, and nothing will.
bool Session::is_last(std::string_view rest) const {
  if (!read_closed_) return false;
  const auto result = parse_head(rest);
  if (std::holds_alternative<HeadError>(result)) return false;
  const auto* head = std::get_if<RequestHead>(&result);
  return head == nullptr || rest.size() < head->head_bytes + head->body_bytes;
}

void Session::close() {
  if (std::exchange(closed_, true)) return;
  for (const Slot& slot : slots_) {
    if (const auto* waiting = std::get_if<Waiting>(&slot.content)) {
      frontend_.tokens().cancel_wait(waiting->wait);
    }
  }
  slots_.clear();
  watch_.reset();
  events_.reset();
  socket_->close();
  host_.session_closed(*this);
}

std::optional<BootTime> Session::expendable_since() const {
  if (!slots_.empty() || watch_) return std::nullopt;
  return unsent_since_.value_or(request_since_.value_or(active_since_));
}

void Session::make_way() {
  if (unsent_since_) return close();
  drain();
}

void Session::grants_changed() {
  if (watch_) watch_->grants_changed();
}

// A stream of changes costs a system call only where something is to be had: a read that finds
// nothing, or the question whether the client is gone.
void Session::on_turn() {
  if (closed_) return;
  now_ = clock_.now().boot;
  if (input_there_ && wants_input()) {
    receive();
  } else if (std::exchange(stirred_, false) && hung_up()) {
    close();
  } else {
    pump();
  }
}

BootTime Session::deadline() const {
  BootTime earliest = BootTime::max();
  if (unsent_since_) earliest = std::min(earliest, *unsent_since_ + times_.write_stall);
  if (request_since_) earliest = std::min(earliest, *request_since_ + times_.head);
  const bool idle = slots_.empty() && !unsent_since_ && !request_since_;
  if (!idle) return earliest;
  return active_since_ + (watch_ ? times_.heartbeat : times_.idle);
}

void Session::on_deadline() {
  if (closed_) return;
  if (!watch_ || unsent_since_) return close();
  now_ = clock_.now().boot;
  append_heartbeat(output_);
  pump();
}

void Session::input_may_be_there() noexcept {
  input_there_ = stirred_ = true;
  host_.session_turn(*this);
}

void Session::room_may_be_there() noexcept { host_.session_turn(*this); }

// Whether the client has closed both ways: it wants nothing any more.
bool Session::hung_up() const {
  pollfd socket{.fd = socket_->fd(), .events = 0, .revents = 0};
  return ::poll(&socket, 1, 0) == 1 && (socket.revents & (POLLHUP | POLLERR)) != 0;
}

void Session::compact_input() {
  if (input_begin_ == 0) return;
  std::memmove(input_.data(), input_.data() + input_begin_, input_end_ - input_begin_);
  input_end_ -= std::exchange(input_begin_, 0);
}

// Even a client that is gone may have left an operator's order behind: all of it is read.
void Session::receive() {
  compact_input();
  const std::size_t room = std::min(input_.size() - input_end_, kReceiveBytesMax);
  const ssize_t count = socket_->receive(std::span(input_).subspan(input_end_, room));
  stirred_ = false;
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) return close();
    input_there_ = errno == EINTR;
    return pump();
  }
  if (count == 0) {
    // After a half-close what was asked is still answered; a client that is gone wants nothing.
    if (hung_up()) return close();
    read_closed_ = true;
  }
  input_end_ += static_cast<std::size_t>(count);
  active_since_ = now_;
  pump();
}

void Session::on_wait_done(std::uint64_t number, WaitAnswer answer) {
  ROTA_CHECK(number >= first_slot_ && number - first_slot_ < slots_.size() && waits_ > 0);
  Slot& slot = slots_[number - first_slot_];
  slot.content = Settled{std::move(std::get<Waiting>(slot.content).asked), answer};
  --waits_;
  now_ = active_since_ = clock_.now().boot;
  pump();
}

void Session::on_later_done(std::uint64_t number, PlainReply reply) {
  ROTA_CHECK(number >= first_slot_ && number - first_slot_ < slots_.size());
  Slot& slot = slots_[number - first_slot_];
  std::visit([&slot]<class Plain>(Plain&& plain) { slot.content = std::forward<Plain>(plain); },
             std::move(reply));
  now_ = active_since_ = clock_.now().boot;
  pump();
}

void Session::pump() {
  const bool output_filled = fill_output();
  if (!flush()) return close();
  // There is more, and others have their turn before it.
  if (output_filled && output_.empty()) host_.session_turn(*this);
  if (!taking_ && slots_.empty() && output_.empty() && !watch_) return close();
  const bool partial = can_take() && !input().empty();
  if (!partial) {
    request_since_.reset();
  } else if (!request_since_) {
    request_since_ = now_;
  }
  host_.session_deadline(deadline());
  if (!output_.empty()) events_->tell_of_room();
  if (input_there_ && wants_input()) host_.session_turn(*this);
}

// Returns whether it stopped because the output buffer is full.
bool Session::fill_output() {
  for (;;) {
    render_slots();
    if (watch_) watch_->fill(output_);
    if (output_full()) return true;
    if (!can_take() || !take_request()) return false;
  }
}

bool Session::can_take() const {
  return taking_ && waits_ < kWaitsPerConnectionMax && slots_.size() < kRequestsReadAheadMax &&
         !output_full();
}

// Returns whether there was a request, or something that ends the connection with a reply.
bool Session::take_request() {
  if (draining_) read_rest();
  auto result = parse_head(input());
  if (const auto* error = std::get_if<HeadError>(&result)) {
    taking_ = false;
    queue({.close = true, .head_only = error->head_only},
          error_reply(error->code, std::string(error->why)));
    return true;
  }
  auto* head = std::get_if<RequestHead>(&result);
  if (head == nullptr || input().size() < head->head_bytes + head->body_bytes) {
    if (read_closed_) taking_ = false;
    if (head != nullptr) return ask_for_body(*head);
    input_begin_ += empty_lines_before(input());  // nothing that has to end soon
    return false;
  }
  if (leaving_) {
    if (!draining_) {  // what came with it is read first, and then all of it is looked at again
      close_intake();
      return true;
    }
    head->close |= is_last(input().substr(head->head_bytes + head->body_bytes));
  }
  if (head->close) taking_ = false;
  dispatch(*head);
  input_begin_ += head->head_bytes + head->body_bytes;
  request_since_.reset();
  continue_said_ = false;
  return true;
}

// Returns whether something is to be sent for it.
bool Session::ask_for_body(const RequestHead& head) {
  if (!head.expects_continue || read_closed_ || draining_) return false;
  if (std::exchange(continue_said_, true)) return false;
  queue({}, Continue{});
  return true;
}

void Session::dispatch(const RequestHead& head) {
  const ReplyForm form{.close = head.close, .head_only = head.head_only};
  Answer answer = frontend_.answer(head, peer_);
  if (auto* wait = std::get_if<WaitReply>(&answer)) return start_wait(std::move(*wait), form);
  if (auto* later = std::get_if<LaterReply>(&answer)) return start_later(std::move(*later), form);
  if (auto* watch = std::get_if<WatchReply>(&answer)) {
    taking_ = false;
    return queue({.close = true, .head_only = form.head_only}, std::move(*watch));
  }
  if (auto* json = std::get_if<JsonReply>(&answer)) return queue(form, std::move(*json));
  if (auto* text = std::get_if<MetricsReply>(&answer)) return queue(form, std::move(*text));
  if (auto* error = std::get_if<ErrorReply>(&answer)) return queue(form, std::move(*error));
  auto& token = std::get<TokenReply>(answer);
  if (slots_.empty()) {
    give(token, form);
  } else {
    queue(form, Settled{std::move(token.asked), {.result = WaitResult::kServe, .retry_after = {}}});
  }
}

void Session::queue(ReplyForm form, decltype(Slot::content) content) {
  slots_.push_back({form, std::move(content)});
}

void Session::start_wait(WaitReply wait, ReplyForm form) {
  const std::uint64_t number = first_slot_ + slots_.size();
  const WaitId id = frontend_.tokens().wait_for_token(
      wait.request, [weak = weak_from_this(), number](WaitAnswer answer) {
        const auto self = weak.lock();
        if (self && !self->closed_) self->on_wait_done(number, answer);
      });
  queue(form, Waiting{std::move(wait.asked), id});
  ++waits_;
}

void Session::start_later(LaterReply later, ReplyForm form) {
  const std::uint64_t number = first_slot_ + slots_.size();
  queue(form, Running{});
  later.start([weak = weak_from_this(), number](PlainReply reply) {
    const auto self = weak.lock();
    if (self && !self->closed_) self->on_later_done(number, std::move(reply));
  });
}

void Session::render_slots() {
  while (!slots_.empty() && !output_full()) {
    Slot& slot = slots_.front();
    if (std::holds_alternative<Waiting>(slot.content) ||
        std::holds_alternative<Running>(slot.content)) {
      return;
    }
    render(slot);
    slots_.pop_front();
    ++first_slot_;
  }
}

void Session::render(Slot& slot) {
  if (auto* watch = std::get_if<WatchReply>(&slot.content)) {
    return start_watch(std::move(*watch), slot.form);
  }
  if (std::holds_alternative<Continue>(slot.content)) return append_continue(output_);
  if (const auto* json = std::get_if<JsonReply>(&slot.content)) {
    return append_json(output_, *json, slot.form);
  }
  if (const auto* text = std::get_if<MetricsReply>(&slot.content)) {
    return append_metrics(output_, *text, slot.form);
  }
  if (const auto* error = std::get_if<ErrorReply>(&slot.content)) {
    return append_error(output_, *error, slot.form);
  }
  const auto& settled = std::get<Settled>(slot.content);
  const TokenOutcome outcome = frontend_.settle(settled.asked, settled.answer, peer_);
  if (const auto* error = std::get_if<ErrorReply>(&outcome)) {
    return append_error(output_, *error, slot.form);
  }
  give(std::get<TokenReply>(outcome), slot.form);
}

// Where every token of a fetch leaves.
void Session::give(const TokenReply& token, ReplyForm form) {
  append_token(output_, *token.row, token.circle_now, form);
  if (!form.head_only) frontend_.tokens().note_fetch(*token.row, caller_of(peer_));
}

void Session::start_watch(WatchReply watch, ReplyForm form) {
  append_stream_head(output_);
  if (leaving_ || form.head_only) return;
  watch_ = frontend_.open_watch(std::move(watch), peer_, [this] { host_.session_turn(*this); });
}

// Sends what the kernel takes. False: the peer is gone.
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
