#include "api/reply_queue.h"

#include <utility>

#include "base/check.h"
#include "http/limits.h"

namespace rota {

bool ReplyQueue::full() const {
  return waits_ >= kWaitsPerConnectionMax || replies_.size() >= kRequestsReadAheadMax;
}

void ReplyQueue::push(Reply reply) {
  ROTA_CHECK(!full());
  replies_.push_back(std::move(reply));
}

void ReplyQueue::add(ReplyForm form, ReadyReply::Content content) {
  push({form, std::move(content)});
}

void ReplyQueue::add_waiting(ReplyForm form, Asked asked, WaitId wait) {
  push({form, Waiting{std::move(asked), wait}});
  ++waits_;
}

void ReplyQueue::add_running(ReplyForm form) { push({form, Running{}}); }

ReplyQueue::Reply* ReplyQueue::find(ReplyNumber number) {
  const std::uint64_t place = std::to_underlying(number);
  if (place < first_) return nullptr;
  ROTA_CHECK(place - first_ < replies_.size());
  return &replies_[place - first_];
}

bool ReplyQueue::settle(ReplyNumber number, const WaitAnswer& answer) {
  Reply* reply = find(number);
  if (reply == nullptr) return false;
  auto* waiting = std::get_if<Waiting>(&reply->state);
  ROTA_CHECK(waiting != nullptr);
  reply->state.emplace<ReadyReply::Content>(Settled{std::move(waiting->asked), answer});
  --waits_;
  return true;
}

bool ReplyQueue::wait_on(ReplyNumber number, MemberKey key, WaitId wait) {
  Reply* reply = find(number);
  if (reply == nullptr) return false;
  auto* waiting = std::get_if<Waiting>(&reply->state);
  ROTA_CHECK(waiting != nullptr);
  waiting->asked.key = std::move(key);
  waiting->wait = wait;
  return true;
}

bool ReplyQueue::finish(ReplyNumber number, PlainReply plain) {
  Reply* reply = find(number);
  if (reply == nullptr) return false;
  ROTA_CHECK(std::holds_alternative<Running>(reply->state));
  std::visit(
      [reply]<class Plain>(Plain&& ready) {
        reply->state.emplace<ReadyReply::Content>(std::forward<Plain>(ready));
      },
      std::move(plain));
  return true;
}

std::optional<ReadyReply> ReplyQueue::take_ready() {
  if (replies_.empty()) return std::nullopt;
  Reply& first = replies_.front();
  auto* content = std::get_if<ReadyReply::Content>(&first.state);
  if (content == nullptr) return std::nullopt;
  std::optional<ReadyReply> ready(ReadyReply{first.form, std::move(*content)});
  replies_.pop_front();
  ++first_;
  return ready;
}

void ReplyQueue::close_behind_last() {
  if (!replies_.empty()) replies_.back().form.close = true;
}

std::vector<WaitId> ReplyQueue::clear() {
  std::vector<WaitId> waits;
  for (const Reply& reply : replies_) {
    if (const auto* waiting = std::get_if<Waiting>(&reply.state)) waits.push_back(waiting->wait);
  }
  first_ += replies_.size();
  replies_.clear();
  waits_ = 0;
  return waits;
}

}  // namespace rota
