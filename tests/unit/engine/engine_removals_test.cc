#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "plan/lifecycle.h"
#include "tests/unit/engine/enrolment_boxes.h"

// A client that removes very many members is held back, until an operator lifts that.
namespace rota::test {
namespace {

// Whether the client may end its enrolment of id:`id`.
bool removed(EngineBox& box, int id, const std::string& client) {
  const std::string key = "id:" + std::to_string(id);
  const OperatorId op = box.operate(key, OperatorAction::kEndEnrolment, client);
  box.settle();
  const bool is_limited = end_of(box, op) == OperationEnd::kRemovalsLimited;
  EXPECT_EQ(is_enrolled(box.slot(key).record), is_limited);
  return !is_limited;
}

TEST(EngineRemovals, AClientThatRemovesVeryManyIsHeldBack) {
  Policy policy = exact_policy();
  policy.guard = {.max_retire_count = 2, .max_retire_fraction = 0.02};
  EngineBox box = started(policy);
  for (int i = 0; i < 4; ++i) box.enrol("id:" + std::to_string(i + 1));
  box.settle();
  EXPECT_TRUE(removed(box, 1, "user:web"));
  EXPECT_TRUE(removed(box, 2, "user:web"));
  EXPECT_FALSE(removed(box, 3, "user:web"));
  EXPECT_FALSE(removed(box, 4, "user:web"));
  EXPECT_EQ(box.told("removals_limited"), 1U);
  EXPECT_TRUE(box.engine.removals().holds_back("user:web"));
  EXPECT_TRUE(std::ranges::any_of(box.notices, [](const Notice& notice) {
    return notice.event == "removals_limited" &&
           notice.text.contains("`rota lift-removals user:web`");
  })) << "the alarm says what lifts it";
  EXPECT_TRUE(is_enrolled(box.slot("id:3").record));
  box.lift_removals("user:web");
  EXPECT_FALSE(box.engine.removals().holds_back("user:web"));
  EXPECT_TRUE(removed(box, 3, "user:web"));
}

TEST(EngineRemovals, AnOperatorHearsThatALiftIsNotOnDisk) {
  Policy policy = exact_policy();
  policy.guard = {.max_retire_count = 0, .max_retire_fraction = 0.5};
  EngineBox box = started(policy);
  box.enrol("id:1");
  box.settle();
  box.operate("id:1", OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  ASSERT_TRUE(box.engine.removals().holds_back("user:web"));
  const OperatorId lift = box.lift_removals("user:web");
  for (int second = 0; box.report_of(lift) == nullptr && second < 60; ++second) {
    if (box.commit_pending()) box.commit_fail();
    box.advance(1s);
  }
  EXPECT_EQ(end_of(box, lift), OperationEnd::kNotDurable);
  EXPECT_TRUE(box.restarted(1s).engine.removals().holds_back("user:web"));
}

TEST(EngineRemovals, AClientIsMeasuredByItsOwnMembersAndHeldBackOverARestart) {
  Policy policy = exact_policy();
  policy.guard = {.max_retire_count = 0, .max_retire_fraction = 0.5};
  EngineBox box = started(policy);
  for (int i = 0; i < 4; ++i) {
    box.enrol("id:" + std::to_string(i + 1), {.client = i == 0 ? "user:web" : "user:shop"});
  }
  box.settle();
  EXPECT_FALSE(removed(box, 1, "user:web")) << "one of four members, but all of its own";
  EXPECT_TRUE(removed(box, 2, "user:shop")) << "one of three";
  EngineBox later = box.restarted(1s);
  later.start();
  later.settle();
  later.advance(2h);
  EXPECT_FALSE(removed(later, 1, "user:web"));
  EXPECT_EQ(later.told("removals_limited"), 0U) << "one alarm";
  const OperatorId lift = later.lift_removals("user:web");
  ASSERT_TRUE(later.commit_pending());
  EXPECT_EQ(later.report_of(lift), nullptr) << "P2: it would be held back again after a kill";
  later.settle();
  EXPECT_EQ(end_of(later, lift), OperationEnd::kRemovalsLifted);
  EXPECT_TRUE(removed(later, 1, "user:web"));
  const OperatorId again = later.lift_removals("user:web");
  later.settle();
  EXPECT_EQ(end_of(later, again), OperationEnd::kRemovalsLifted) << "though nothing changes";
  EXPECT_FALSE(later.restarted(1s).engine.removals().holds_back("user:web"));
}

}  // namespace
}  // namespace rota::test
