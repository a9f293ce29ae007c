#include "api/reply_queue.h"

#include <gmock/gmock.h>

#include <string>

#include "http/limits.h"

namespace rota {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

constexpr WaitAnswer kServe{.result = WaitResult::kServe, .retry_after = {}};

Asked asked(std::int64_t id) {
  return {.key = MemberKey::from_id(id).value(), .strict = false, .min_ttl = {}};
}
JsonReply json(std::string body) { return {.body = std::move(body)}; }

class ReplyQueueTest : public testing::Test {
 protected:
  ReplyNumber add_waiting(std::int64_t id) {
    const ReplyNumber number = queue.next_number();
    queue.add_waiting({}, asked(id), WaitId{static_cast<std::uint64_t>(id)});
    return number;
  }
  ReplyNumber add_running() {
    const ReplyNumber number = queue.next_number();
    queue.add_running({});
    return number;
  }
  // All that are ready, in a short form: a body, an error's message, or a member with "!" if its
  // wait was in vain.
  std::string take() {
    std::string all;
    while (auto reply = queue.take_ready()) {
      if (!all.empty()) all += ' ';
      if (const auto* body = std::get_if<JsonReply>(&reply->content)) all += body->body;
      if (const auto* error = std::get_if<ErrorReply>(&reply->content)) all += error->message;
      if (std::holds_alternative<Continue>(reply->content)) all += "continue";
      if (const auto* settled = std::get_if<Settled>(&reply->content)) {
        all += settled->asked.key.text();
        if (settled->answer.result != WaitResult::kServe) all += '!';
      }
      if (reply->form.head_only) all += "(head)";
      if (reply->form.close) all += "(close)";
    }
    return all;
  }

  ReplyQueue queue;
};

TEST_F(ReplyQueueTest, WhatIsReadyLeavesAtOnce) {
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(take(), "");
  queue.add({}, json("a"));
  queue.add({.close = false, .head_only = true}, error_reply(ErrorCode::kNotFound, "b"));
  queue.add({.close = true, .head_only = false}, json("c"));
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(take(), "a b(head) c(close)");
  EXPECT_TRUE(queue.empty());
}

TEST_F(ReplyQueueTest, KeepsTheOrderThoughLaterOnesAreReadyFirst) {
  queue.add({}, json("a"));
  const ReplyNumber first = add_waiting(1);
  queue.add({}, Continue{});
  const ReplyNumber order = add_running();
  const ReplyNumber second = add_waiting(2);
  queue.add({}, json("z"));
  EXPECT_EQ(take(), "a");
  EXPECT_TRUE(queue.settle(second, kServe));
  EXPECT_TRUE(queue.finish(order, json("done")));
  EXPECT_EQ(take(), "") << "all stand behind the first wait";
  EXPECT_TRUE(queue.settle(first, {.result = WaitResult::kUnavailable, .retry_after = seconds{7}}));
  EXPECT_EQ(take(), "id:1! continue done id:2 z");
}

// What leaves is what was asked and how the wait ended: the token is looked up by who takes it.
TEST_F(ReplyQueueTest, HoldsNoTokenBeforeItsTurn) {
  const ReplyNumber number = queue.next_number();
  queue.add_waiting({}, {.key = asked(9).key, .strict = true, .min_ttl = seconds{90}}, WaitId{1});
  queue.settle(number, {.result = WaitResult::kUnavailable, .retry_after = seconds{7}});
  const auto reply = queue.take_ready();
  ASSERT_TRUE(reply);
  const auto& settled = std::get<Settled>(reply->content);
  EXPECT_EQ(settled.asked.key, asked(9).key);
  EXPECT_TRUE(settled.asked.strict);
  EXPECT_EQ(settled.asked.min_ttl, seconds{90});
  EXPECT_EQ(settled.answer.result, WaitResult::kUnavailable);
  EXPECT_EQ(settled.answer.retry_after, seconds{7});
}

TEST_F(ReplyQueueTest, NumbersOnlyGrow) {
  const ReplyNumber first = add_waiting(1);
  const ReplyNumber second = add_waiting(2);
  EXPECT_LT(first, second);
  queue.settle(first, kServe);
  EXPECT_EQ(take(), "id:1");
  EXPECT_LT(second, queue.next_number());
  EXPECT_TRUE(queue.settle(second, kServe)) << "its number is still its own";
  EXPECT_EQ(take(), "id:2");
  const ReplyNumber third = add_running();
  EXPECT_LT(second, third);
  queue.clear();
  EXPECT_LT(third, queue.next_number());
}

TEST_F(ReplyQueueTest, P11IsFullWithAsManyWaitsAsAreAllowed) {
  ReplyNumber last{};
  for (std::size_t i = 0; i < kWaitsPerConnectionMax; ++i) {
    EXPECT_FALSE(queue.full()) << i;
    last = add_waiting(1);
  }
  EXPECT_TRUE(queue.full());
  EXPECT_EQ(take(), "");
  queue.settle(last, kServe);
  EXPECT_FALSE(queue.full()) << "it waits no more, though it cannot leave yet";
}

TEST_F(ReplyQueueTest, P11IsFullWithAsManyRequestsAsAreReadAhead) {
  const ReplyNumber first = add_running();
  for (std::size_t i = 1; i < kRequestsReadAheadMax; ++i) {
    EXPECT_FALSE(queue.full()) << i;
    queue.add({}, json("x"));
  }
  EXPECT_TRUE(queue.full());
  queue.finish(first, error_reply(ErrorCode::kInternal, "failed"));
  EXPECT_TRUE(queue.full()) << "until it leaves";
  queue.take_ready();
  EXPECT_FALSE(queue.full());
}

TEST_F(ReplyQueueTest, TheLastOneSaysThatItIsTheLast) {
  queue.close_behind_last();
  const ReplyNumber number = add_waiting(1);
  const ReplyNumber last = add_waiting(2);
  queue.close_behind_last();
  queue.settle(last, kServe);
  queue.settle(number, kServe);
  EXPECT_EQ(take(), "id:1 id:2(close)");
}

// The connection closes while its waits and orders go on.
TEST_F(ReplyQueueTest, WhatEndsAfterItWasClearedIsNobodys) {
  const ReplyNumber settled = add_waiting(1);
  const ReplyNumber waiting = add_waiting(2);
  const ReplyNumber running = add_running();
  add_waiting(3);
  queue.settle(settled, kServe);
  EXPECT_THAT(queue.clear(), ElementsAre(WaitId{2}, WaitId{3}));
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.full());
  EXPECT_FALSE(queue.settle(waiting, kServe));
  EXPECT_FALSE(queue.finish(running, json("done")));
  EXPECT_EQ(take(), "");
  EXPECT_THAT(queue.clear(), ElementsAre());
}

TEST_F(ReplyQueueTest, ClearingItFreesTheWaits) {
  for (std::size_t i = 0; i < kWaitsPerConnectionMax; ++i) add_waiting(1);
  queue.clear();
  for (std::size_t i = 0; i < kWaitsPerConnectionMax; ++i) add_waiting(1);
  EXPECT_TRUE(queue.full());
}

using ReplyQueueDeathTest = ReplyQueueTest;

TEST_F(ReplyQueueDeathTest, TakesNoMoreThanItsLimitAndNoEndTwice) {
  const ReplyNumber number = add_waiting(1);
  const ReplyNumber running = add_running();
  EXPECT_DEATH(queue.settle(queue.next_number(), kServe), "size");
  EXPECT_DEATH(queue.settle(running, kServe), "waiting");
  EXPECT_DEATH(queue.finish(number, json("x")), "Running");
  queue.settle(number, kServe);
  EXPECT_DEATH(queue.settle(number, kServe), "waiting");
  for (std::size_t i = 2; i < kRequestsReadAheadMax; ++i) queue.add({}, json("x"));
  EXPECT_DEATH(queue.add({}, json("x")), "full");
}

}  // namespace
}  // namespace rota
