#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "http/event_stream.h"
#include "http/response.h"
#include "serve/session.h"

// What a session does with the answers of its frontend.

namespace rota {
namespace {

WaitRequest under_another_name(WaitRequest request, const MemberKey& key) {
  EnrolRequest enrol = *request.enrol;
  enrol.key = key;
  request.member = {};
  request.enrol = std::make_shared<const EnrolRequest>(std::move(enrol));
  return request;
}

}  // namespace

void Session::dispatch(const RequestHead& head, std::string_view body) {
  const ReplyForm form{.close = head.close, .head_only = head.head_only};
  Answer answer = frontend_.answer(head, body, peer_);
  if (auto* wait = std::get_if<WaitReply>(&answer)) return start_wait(std::move(*wait), form);
  if (auto* later = std::get_if<LaterReply>(&answer)) return start_later(std::move(*later), form);
  if (auto* watch = std::get_if<WatchReply>(&answer)) {
    intake_.finish();
    return replies_.add({.close = true, .head_only = form.head_only}, std::move(*watch));
  }
  if (auto* json = std::get_if<JsonReply>(&answer)) return replies_.add(form, std::move(*json));
  if (std::holds_alternative<EmptyReply>(answer)) return replies_.add(form, EmptyReply{});
  if (auto* text = std::get_if<MetricsReply>(&answer)) return replies_.add(form, std::move(*text));
  if (auto* error = std::get_if<ErrorReply>(&answer)) return replies_.add(form, std::move(*error));
  auto& token = std::get<TokenReply>(answer);
  if (replies_.empty()) {
    frontend_.give(token, peer_, form, output_);
  } else {
    replies_.add(
        form, Settled{std::move(token.asked), {.result = WaitResult::kServe, .retry_after = {}}});
  }
}

void Session::start_wait(WaitReply wait, ReplyForm form) {
  const ReplyNumber number = replies_.next_number();
  std::optional<WaitRequest> other;
  if (wait.or_enrol) other = under_another_name(wait.request, *wait.or_enrol);
  const WaitId id = frontend_.tokens().wait_for_token(
      wait.request, [weak = weak_from_this(), number, other = std::move(other),
                     since = clock_.now().boot](WaitAnswer answer) mutable {
        const auto self = weak.lock();
        if (!self) return;
        if (!other || answer.result != WaitResult::kUnknown) {
          return self->on_wait_done(number, answer);
        }
        const Duration waited = self->clock_.now().boot - since;
        other->wait = std::max(other->wait - waited, Duration::zero());
        self->wait_on(number, *other);
      });
  replies_.add_waiting(form, std::move(wait.asked), id);
}

void Session::wait_on(ReplyNumber number, const WaitRequest& request) {
  const WaitId id = frontend_.tokens().wait_for_token(
      request, [weak = weak_from_this(), number](WaitAnswer answer) {
        if (const auto self = weak.lock()) self->on_wait_done(number, answer);
      });
  if (!replies_.wait_on(number, request.enrol->key, id)) frontend_.tokens().cancel_wait(id);
}

void Session::start_later(LaterReply later, ReplyForm form) {
  const ReplyNumber number = replies_.next_number();
  replies_.add_running(form);
  later.start([weak = weak_from_this(), number](PlainReply reply) {
    if (const auto self = weak.lock()) self->on_later_done(number, std::move(reply));
  });
}

void Session::render_ready() {
  while (!output_full()) {
    auto reply = replies_.take_ready();
    if (!reply) return;
    render(*std::move(reply));
  }
}

void Session::render(ReadyReply reply) {
  if (auto* watch = std::get_if<WatchReply>(&reply.content)) {
    return start_watch(std::move(*watch), reply.form);
  }
  if (std::holds_alternative<Continue>(reply.content)) return append_continue(output_);
  if (const auto* json = std::get_if<JsonReply>(&reply.content)) {
    return append_json(output_, *json, reply.form);
  }
  if (std::holds_alternative<EmptyReply>(reply.content)) return append_empty(output_, reply.form);
  if (const auto* text = std::get_if<MetricsReply>(&reply.content)) {
    return append_metrics(output_, *text, reply.form);
  }
  if (const auto* error = std::get_if<ErrorReply>(&reply.content)) {
    return err(*error, reply.form);
  }
  const auto& settled = std::get<Settled>(reply.content);
  const TokenOutcome outcome = frontend_.settle(settled.asked, settled.answer, peer_);
  if (const auto* json = std::get_if<JsonReply>(&outcome)) {
    return append_json(output_, *json, reply.form);
  }
  if (const auto* error = std::get_if<ErrorReply>(&outcome)) return err(*error, reply.form);
  frontend_.give(std::get<TokenReply>(outcome), peer_, reply.form, output_);
}

void Session::err(const ErrorReply& error, ReplyForm form) {
  host_.session_erred(error.code);
  append_error(output_, error, form);
}

void Session::start_watch(WatchReply watch, ReplyForm form) {
  append_stream_head(output_);
  if (next_reply_is_last() || form.head_only) return;
  watch_ = frontend_.open_watch(std::move(watch), peer_, [this] { host_.session_turn(*this); });
}

}  // namespace rota
