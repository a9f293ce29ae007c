#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// Journal rows that are written ahead of the room in flight while the disk is what calls wait for,
// so that the next call need not wait for a commit.
namespace rota::test {
namespace {

using testing::SizeIs;

constexpr std::size_t kInFlight = 3;  // of background calls, of the four that the policy allows
constexpr std::size_t kHeld = 4;

void answer_oldest(EngineBox& box) {
  const command::Call call = box.oldest_call();
  const auto id = call.request.member.id();
  box.reply(call, issued(fmt::format("a{}", id), fmt::format("r{}", id), box.circle(), id));
}

// Two replies came while a commit ran, so two calls and two more are written ahead.
EngineBox box_ahead() {
  Policy policy = exact_policy();
  policy.max_in_flight = 4;
  EngineBox box({}, policy);
  box.start();
  std::vector<RosterEntry> entries;
  for (int i = 1; i <= 20; ++i) entries.push_back(entry(fmt::format("id:{}", i)));
  box.roster(entries);
  box.settle();
  EXPECT_THAT(box.open_calls(), SizeIs(kInFlight));
  EXPECT_EQ(box.durable.open_calls(), kInFlight) << "nothing is written ahead of time";
  for (std::size_t i = 0; i < kInFlight; ++i) answer_oldest(box);
  box.settle();
  EXPECT_THAT(box.open_calls(), SizeIs(kInFlight)) << "no more than fit are at Circle";
  EXPECT_EQ(box.durable.open_calls(), kInFlight + kHeld);
  return box;
}

// The first member whose call has its row and no room; "" if there is none.
std::string held_member(const EngineBox& box) {
  for (int i = 1; i <= 20; ++i) {
    const std::string key = fmt::format("id:{}", i);
    const auto call = box.slot(key).in_flight;
    if (call && !box.engine.gate().calls().at(*call).sent_at) return key;
  }
  return "";
}

TEST(EngineAhead, P3AReplyLetsTheNextCallGoWhoseRowIsOnRecord) {
  EngineBox box = box_ahead();
  const std::size_t sent = box.calls.size();
  answer_oldest(box);
  EXPECT_TRUE(box.commit_pending());
  EXPECT_THAT(box.calls, SizeIs(sent + 1)) << "without waiting for a commit";
  EXPECT_THAT(box.open_calls(), SizeIs(kInFlight));
}

TEST(EngineAhead, P3WhileTheStoreTakesNothingNoHeldCallGoes) {
  EngineBox box = box_ahead();
  answer_oldest(box);
  box.commit_fail();
  const std::size_t sent = box.calls.size();
  answer_oldest(box);
  EXPECT_THAT(box.calls, SizeIs(sent));
  box.run_for(10s);
  EXPECT_GT(box.calls.size(), sent) << "it goes once the store takes commits again";
}

TEST(EngineAhead, P4ALeaversHeldCallIsGivenUpAtOnce) {
  EngineBox box = box_ahead();
  const std::string key = held_member(box);
  ASSERT_NE(key, "");
  const std::size_t sent = box.calls.size();
  box.operate(key, OperatorAction::kRevoke);
  EXPECT_FALSE(box.slot(key).in_flight) << "its revocation need not wait for room";
  EXPECT_THAT(box.calls, SizeIs(sent));
  EXPECT_EQ(box.engine.journal().doubts(), 0U);
}

TEST(EngineAhead, P3AStopGivesUpWhatIsHeld) {
  EngineBox box = box_ahead();
  const std::size_t sent = box.calls.size();
  box.stop();
  box.settle();
  EXPECT_THAT(box.calls, SizeIs(sent));
  EXPECT_EQ(box.durable.open_calls(), kInFlight);
  for (std::size_t i = 0; i < kInFlight; ++i) answer_oldest(box);
  box.settle();
  EXPECT_TRUE(box.engine.drained());
}

TEST(EngineAhead, P3RowsThatWereWrittenAheadAreDoubtsAfterACrash) {
  EngineBox box = box_ahead();
  EngineBox next = box.restarted(1s);
  next.start();
  EXPECT_EQ(next.engine.journal().doubts(), kInFlight + kHeld);
}

}  // namespace
}  // namespace rota::test
