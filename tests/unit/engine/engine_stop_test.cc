#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// A stop is over once the uses that were not worth a commit of their own are on record, too.
namespace rota::test {
namespace {

constexpr MemberId kGrace{1};

WallTime use_on_record(const EngineBox& box) { return box.durable.find_member(kGrace)->last_used; }

// A use that is noted and waits for a batch to go along with.
EngineBox box_with_a_use() {
  EngineBox box = box_with_grace();
  box.advance(5min);
  box.used({kGrace});
  EXPECT_FALSE(box.commit_pending()) << "it is in no hurry";
  EXPECT_EQ(box.slot(kGraceKey).record.last_used, box.circle());
  return box;
}

TEST(EngineStop, WritesAUseAtOnceAndIsDrainedWhenThatIsDurable) {
  EngineBox box = box_with_a_use();
  const WallTime used = box.circle();
  box.stop();
  ASSERT_TRUE(box.commit_pending()) << "no time has passed";
  EXPECT_FALSE(box.engine.drained());
  EXPECT_LT(use_on_record(box), used);
  box.commit_ok();
  EXPECT_EQ(use_on_record(box), used);
  EXPECT_FALSE(box.commit_pending());
  EXPECT_TRUE(box.engine.drained());
}

TEST(EngineStop, WithNothingToWriteIsDrainedAtOnce) {
  EngineBox box = box_with_a_use();
  box.run_for(1min);
  ASSERT_EQ(use_on_record(box), box.slot(kGraceKey).record.last_used);
  box.stop();
  EXPECT_FALSE(box.commit_pending());
  EXPECT_TRUE(box.engine.drained());
}

TEST(EngineStop, WritesAUseThatIsTooNearToTheLastOneOnRecord) {
  EngineBox box = box_with_a_use();
  box.run_for(2min);
  box.used({kGrace});
  const WallTime used = box.circle();
  box.run_for(1min);
  ASSERT_LT(use_on_record(box), used) << "uses are written once in an hour";
  box.stop();
  EXPECT_FALSE(box.engine.drained());
  box.settle();
  EXPECT_EQ(use_on_record(box), used);
  EXPECT_TRUE(box.engine.drained());
}

TEST(EngineStop, WritesAUseAfterTheCommitThatRuns) {
  EngineBox box = box_with_grace();
  box.advance(5min);
  RosterEntry tagged = entry(kGraceKey);
  tagged.tags = {"support"};
  box.roster({tagged});
  ASSERT_TRUE(box.commit_pending());
  box.used({kGrace});
  const WallTime used = box.circle();
  box.stop();
  box.commit_ok();
  EXPECT_LT(use_on_record(box), used) << "it came after that batch was handed out";
  EXPECT_FALSE(box.engine.drained());
  ASSERT_TRUE(box.commit_pending()) << "no time has passed";
  box.commit_ok();
  EXPECT_EQ(use_on_record(box), used);
  EXPECT_TRUE(box.engine.drained());
}

TEST(EngineStop, IsNotDrainedWhileTheStoreDoesNotTakeTheUses) {
  EngineBox box = box_with_a_use();
  const WallTime used = box.circle();
  box.stop();
  box.commit_fail();
  EXPECT_FALSE(box.engine.drained());
  const auto retry = box.engine.next_wake(box.now);
  ASSERT_TRUE(retry.has_value());
  box.advance(*retry - box.now.boot);
  ASSERT_TRUE(box.commit_pending());
  EXPECT_FALSE(box.engine.drained());
  box.commit_ok();
  EXPECT_EQ(use_on_record(box), used);
  EXPECT_TRUE(box.engine.drained());
}

// Clients are served until the daemon ends.
TEST(EngineStop, WritesAUseThatComesAfterItAtOnce) {
  EngineBox box = box_with_grace();
  box.stop();
  box.settle();
  ASSERT_TRUE(box.engine.drained());
  box.advance(5min);
  box.used({kGrace});
  ASSERT_TRUE(box.commit_pending()) << "no time has passed";
  EXPECT_FALSE(box.engine.drained());
  box.commit_ok();
  EXPECT_EQ(use_on_record(box), box.circle());
  EXPECT_TRUE(box.engine.drained());
}

}  // namespace
}  // namespace rota::test
