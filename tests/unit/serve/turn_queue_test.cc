#include "serve/turn_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace rota {
namespace {

struct Taker : TurnTaker {
  explicit Taker(std::string what) : name(std::move(what)) {}
  std::string name;
};

class TurnQueueTest : public testing::Test {
 protected:
  ~TurnQueueTest() override {
    for (Taker& taker : takers_) {
      if (&taker != gone_) queue.leave(taker);
    }
  }

  Taker& enter(std::uint32_t uid, std::int32_t pid, std::string name) {
    Taker& taker = takers_.emplace_back(std::move(name));
    queue.enter(taker, {.uid = uid, .gid = 0, .pid = pid});
    return taker;
  }
  Taker& ready(std::uint32_t uid, std::int32_t pid, std::string name) {
    Taker& taker = enter(uid, pid, std::move(name));
    queue.push(taker);
    return taker;
  }
  void leave(Taker& taker) {
    queue.leave(taker);
    gone_ = &taker;
  }
  std::string take(std::size_t most = 100) {
    std::string order;
    for (std::size_t i = 0; i < most; ++i) {
      const TurnTaker* next = queue.pop();
      if (next == nullptr) break;
      order += static_cast<const Taker*>(next)->name + " ";
    }
    return order;
  }

  TurnQueue queue;

 private:
  std::deque<Taker> takers_;
  const Taker* gone_ = nullptr;
};

TEST_F(TurnQueueTest, P11UsersFollowEachOtherWhateverTheirNumbers) {
  for (const char* name : {"a1", "a2", "a3"}) ready(1, 10, name);
  ready(2, 20, "b1");
  ready(3, 30, "c1");
  EXPECT_EQ(take(), "a1 b1 c1 a2 a3 ");
  EXPECT_EQ(take(), "");
}

TEST_F(TurnQueueTest, P11ProcessesOfAUserFollowEachOther) {
  for (const char* name : {"a1", "a2", "a3"}) ready(1, 10, name);
  ready(1, 11, "b1");
  ready(2, 20, "c1");
  EXPECT_EQ(take(), "a1 c1 b1 a2 a3 ");
}

TEST_F(TurnQueueTest, P11WhoComesAgainGoesBehindItsLike) {
  Taker& first = ready(1, 10, "a1");
  ready(1, 10, "a2");
  ready(2, 20, "b1");
  EXPECT_EQ(take(1), "a1 ");
  queue.push(first);
  queue.push(first);  // once is enough
  EXPECT_EQ(take(), "b1 a2 a1 ");
}

// Whoever leaves takes no turn, and the others keep theirs.
TEST_F(TurnQueueTest, P11WhoLeavesIsForgotten) {
  Taker& only = ready(1, 10, "a1");
  ready(1, 11, "b1");
  ready(2, 20, "c1");
  leave(only);
  EXPECT_EQ(take(), "b1 c1 ");
}

TEST_F(TurnQueueTest, TellsWhetherAllAreOfOneProcess) {
  EXPECT_FALSE(queue.is_of_one_process());
  enter(1, 10, "a1");
  enter(1, 10, "a2");
  EXPECT_TRUE(queue.is_of_one_process());
  Taker& other = enter(1, 11, "b1");
  EXPECT_FALSE(queue.is_of_one_process());
  leave(other);
  EXPECT_TRUE(queue.is_of_one_process());
  enter(2, 20, "c1");
  EXPECT_FALSE(queue.is_of_one_process());
}

TEST_F(TurnQueueTest, CountsByUserAndProcess) {
  const PeerIdentity peer{.uid = 1, .gid = 0, .pid = 10};
  EXPECT_EQ(queue.counts(peer).of_user, 0U);
  Taker& first = enter(1, 10, "a1");
  enter(1, 10, "a2");
  enter(1, 11, "b1");
  EXPECT_EQ(queue.counts(peer).of_user, 3U);
  EXPECT_EQ(queue.counts(peer).of_process, 2U);
  leave(first);
  EXPECT_EQ(queue.counts(peer).of_user, 2U);
  EXPECT_EQ(queue.counts(peer).of_process, 1U);
}

}  // namespace
}  // namespace rota
