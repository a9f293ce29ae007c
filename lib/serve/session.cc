#include "serve/session.h"

#include <poll.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace rota {

namespace asio = boost::asio;
using boost::system::error_code;

Session::Session(Socket socket, PeerIdentity peer, const Frontend& frontend, const Clock& clock,
                 const SessionTimes& times, SessionHost& host)
    : peer_(peer),
      frontend_(frontend),
      clock_(clock),
      times_(times),
      host_(host),
      socket_(std::move(socket)) {}

void Session::start() {
  now_ = active_since_ = clock_.now().boot;
  arm();
}

void Session::drain() {
  if (closed_) return;
  taking_ = false;
  if (!slots_.empty()) slots_.back().close = true;
  now_ = clock_.now().boot;
  pump();
}

void Session::close() {
  if (std::exchange(closed_, true)) return;
  for (const Slot& slot : slots_) {
    if (const auto* waiting = std::get_if<Waiting>(&slot.content)) {
      frontend_.tokens().cancel_wait(waiting->wait);
    }
  }
  slots_.clear();
  error_code ignored;
  socket_.close(ignored);
  host_.session_closed(*this);
}

BootTime Session::deadline() const {
  BootTime earliest = BootTime::max();
  if (unsent_since_) earliest = std::min(earliest, *unsent_since_ + times_.write_stall);
  if (request_since_) earliest = std::min(earliest, *request_since_ + times_.head);
  const bool idle = slots_.empty() && !unsent_since_ && !request_since_;
  return idle ? active_since_ + times_.idle : earliest;
}

void Session::on_readable() {
  if (!can_take()) {
    // Not wanted any more since the wait began: the input stays in the kernel.
    arm();
    return;
  }
  if (input_begin_ != 0) {
    std::memmove(input_.data(), input_.data() + input_begin_, input_end_ - input_begin_);
    input_end_ -= std::exchange(input_begin_, 0);
  }
  error_code error;
  const std::size_t count = socket_.read_some(
      asio::buffer(input_.data() + input_end_, input_.size() - input_end_), error);
  now_ = clock_.now().boot;
  if (error == asio::error::eof) {
    read_closed_ = true;
    // After a half-close what was asked is still answered; a peer that is gone wants nothing.
    if (hung_up()) return close();
  } else if (error == asio::error::would_block || error == asio::error::interrupted) {
    return arm();
  } else if (error) {
    return close();
  }
  input_end_ += count;
  active_since_ = now_;
  pump();
}

void Session::on_writable() {
  now_ = clock_.now().boot;
  pump();
}

void Session::on_hangup_watch() {
  // Woken for anything else means out-of-band data, which is not HTTP and would wake us forever.
  close();
}

void Session::on_wait_done(std::uint64_t number, WaitAnswer answer) {
  ROTA_CHECK(number >= first_slot_ && number - first_slot_ < slots_.size() && waits_ > 0);
  Slot& slot = slots_[number - first_slot_];
  slot.content = Settled{std::get<Waiting>(slot.content).member, answer};
  --waits_;
  now_ = active_since_ = clock_.now().boot;
  pump();
}

void Session::on_later_done(std::uint64_t number, PlainReply reply) {
  ROTA_CHECK(number >= first_slot_ && number - first_slot_ < slots_.size());
  Slot& slot = slots_[number - first_slot_];
  std::visit([&slot](auto&& plain) { slot.content = std::move(plain); }, std::move(reply));
  now_ = active_since_ = clock_.now().boot;
  pump();
}

void Session::pump() {
  for (;;) {
    const bool output_filled = fill_output();
    if (!flush()) return close();
    if (!output_filled || !output_.empty()) break;
  }
  if (!taking_ && slots_.empty() && output_.empty()) return close();
  const bool partial = can_take() && !input().empty();
  if (!partial) {
    request_since_.reset();
  } else if (!request_since_) {
    request_since_ = now_;
  }
  host_.session_deadline(deadline());
  arm();
}

// Returns whether it stopped because the output buffer is full.
bool Session::fill_output() {
  for (;;) {
    render_slots();
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
  const auto result = parse_head(input());
  if (const auto* error = std::get_if<HeadError>(&result)) {
    taking_ = false;
    queue(true, error_reply(error->code, std::string(error->why)));
    return true;
  }
  const auto* head = std::get_if<RequestHead>(&result);
  if (head == nullptr || input().size() < head->head_bytes + head->body_bytes) {
    if (read_closed_) taking_ = false;
    return false;
  }
  if (head->close) taking_ = false;
  dispatch(*head);
  input_begin_ += head->head_bytes + head->body_bytes;
  request_since_.reset();
  return true;
}

void Session::dispatch(const RequestHead& head) {
  Answer answer = frontend_.answer(head, peer_);
  if (auto* request = std::get_if<WaitRequest>(&answer)) return start_wait(*request, head.close);
  if (auto* later = std::get_if<LaterReply>(&answer))
    return start_later(std::move(*later), head.close);
  if (auto* json = std::get_if<JsonReply>(&answer)) return queue(head.close, std::move(*json));
  if (auto* error = std::get_if<ErrorReply>(&answer)) return queue(head.close, std::move(*error));
  const Published& row = *std::get<TokenReply>(answer).row;
  if (slots_.empty()) {
    append_token(output_, row, frontend_.tokens().circle_now(), head.close);
  } else {
    queue(head.close, Settled{row.member, {.result = WaitResult::kServe, .retry_after = {}}});
  }
}

void Session::queue(bool close, decltype(Slot::content) content) {
  slots_.push_back({close, std::move(content)});
}

void Session::start_wait(const WaitRequest& request, bool close) {
  const std::uint64_t number = first_slot_ + slots_.size();
  const WaitId wait = frontend_.tokens().wait_for_token(
      request, [weak = weak_from_this(), number](WaitAnswer answer) {
        const auto self = weak.lock();
        if (self && !self->closed_) self->on_wait_done(number, answer);
      });
  queue(close, Waiting{request.member, wait});
  ++waits_;
}

void Session::start_later(LaterReply later, bool close) {
  const std::uint64_t number = first_slot_ + slots_.size();
  queue(close, Running{});
  later.start([weak = weak_from_this(), number](PlainReply reply) {
    const auto self = weak.lock();
    if (self && !self->closed_) self->on_later_done(number, std::move(reply));
  });
}

void Session::render_slots() {
  while (!slots_.empty() && !output_full()) {
    const Slot& slot = slots_.front();
    if (std::holds_alternative<Waiting>(slot.content) ||
        std::holds_alternative<Running>(slot.content)) {
      return;
    }
    render(slot);
    slots_.pop_front();
    ++first_slot_;
  }
}

void Session::render(const Slot& slot) {
  if (const auto* json = std::get_if<JsonReply>(&slot.content)) {
    return append_json(output_, *json, slot.close);
  }
  if (const auto* error = std::get_if<ErrorReply>(&slot.content)) {
    return append_error(output_, *error, slot.close);
  }
  const auto& settled = std::get<Settled>(slot.content);
  const TokenOutcome outcome = frontend_.settle(settled.member, settled.answer, peer_);
  if (const auto* error = std::get_if<ErrorReply>(&outcome)) {
    return append_error(output_, *error, slot.close);
  }
  append_token(output_, *std::get<TokenReply>(outcome).row, frontend_.tokens().circle_now(),
               slot.close);
}

// Sends what the kernel takes. False: the peer is gone.
bool Session::flush() {
  bool progress = false;
  while (!output_.empty()) {
    error_code error;
    const auto bytes = output_.data();
    const std::size_t sent = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error == asio::error::would_block) break;
    if (error == asio::error::interrupted) continue;
    if (error) return false;
    output_.consume(sent);
    progress = true;
  }
  if (output_.empty()) {
    unsent_since_.reset();
  } else if (progress || !unsent_since_) {
    unsent_since_ = now_;
  }
  return true;
}

// Waits for whatever can bring this session forward; for the peer's end at the least.
void Session::arm() {
  if (closed_) return;
  if (!output_.empty() && !write_armed_) {
    write_armed_ = true;
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
      self->write_armed_ = false;
      if (!error && !self->closed_) self->on_writable();
    });
  }
  if (can_take() && !read_closed_) {
    if (read_armed_) return;
    read_armed_ = true;
    socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
      self->read_armed_ = false;
      if (!error && !self->closed_) self->on_readable();
    });
  } else if (!hangup_armed_) {
    hangup_armed_ = true;
    socket_.async_wait(Socket::wait_error, [self = shared_from_this()](error_code error) {
      self->hangup_armed_ = false;
      if (!error && !self->closed_) self->on_hangup_watch();
    });
  }
}

bool Session::hung_up() {
  pollfd state{.fd = socket_.native_handle(), .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace rota
