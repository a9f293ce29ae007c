#include "engine/schedule.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;

class ScheduleTest : public testing::Test {
 protected:
  void put(std::int64_t id, const MemberPlan& plan, bool call_in_flight = false) {
    schedule.put(MemberId{id}, plan, call_in_flight, places[MemberId{id}]);
  }
  void remove(std::int64_t id) { schedule.remove(MemberId{id}, places[MemberId{id}]); }
  // The first of a lane; 0: it is empty.
  std::int64_t first(Lane lane) const {
    const auto due = schedule.first(lane);
    return due ? static_cast<std::int64_t>(due->member) : 0;
  }
  std::int64_t first_housekeeping() const {
    const auto due = schedule.first_housekeeping();
    return due ? static_cast<std::int64_t>(due->member) : 0;
  }

  Schedule schedule;
  std::map<MemberId, QueuePlaces> places;  // as each member keeps them
};

MemberPlan due(Lane lane, Duration after) {
  MemberPlan plan;
  plan.calls.at(index_of(lane)) = PlannedCall{.lane = lane, .due = kT0 + after};
  return plan;
}

MemberPlan look_at(Duration after) {
  MemberPlan plan;
  plan.housekeeping = kT0 + after;
  return plan;
}

TEST_F(ScheduleTest, NobodyIsDueAtFirst) {
  for (const Lane lane : kLanes) EXPECT_FALSE(schedule.first(lane));
  EXPECT_FALSE(schedule.first_housekeeping());
  EXPECT_FALSE(schedule.next_due());
}

TEST_F(ScheduleTest, TheEarliestOfALaneComesFirst) {
  put(1, due(Lane::kRefresh, 20s));
  put(2, due(Lane::kRefresh, 10s));
  put(3, due(Lane::kRefresh, 30s));
  ASSERT_TRUE(schedule.first(Lane::kRefresh));
  EXPECT_EQ(schedule.first(Lane::kRefresh)->at, kT0 + 10s);
  EXPECT_EQ(first(Lane::kRefresh), 2);
  remove(2);
  EXPECT_EQ(first(Lane::kRefresh), 1);
  remove(1);
  EXPECT_EQ(first(Lane::kRefresh), 3);
}

TEST_F(ScheduleTest, OfThoseDueAtOneTimeTheLowestIdIsFirst) {
  put(2, due(Lane::kIssue, 10s));
  put(1, due(Lane::kIssue, 10s));
  EXPECT_EQ(first(Lane::kIssue), 1);
}

TEST_F(ScheduleTest, EachLaneIsAQueueOfItsOwn) {
  std::int64_t id = 0;
  for (const Lane lane : kLanes) put(++id, due(lane, id * 10s));
  id = 0;
  for (const Lane lane : kLanes) EXPECT_EQ(first(lane), ++id);
}

TEST_F(ScheduleTest, TheFirstCallOfAllLanesIsTheNextDue) {
  put(1, due(Lane::kWaiting, 30s));
  put(2, due(Lane::kSuperseded, 10s));
  put(3, due(Lane::kRefresh, 20s));
  put(4, look_at(1s));  // no call: it counts for nothing here
  EXPECT_EQ(schedule.next_due(), kT0 + 10s);
  remove(2);
  EXPECT_EQ(schedule.next_due(), kT0 + 20s);
}

TEST_F(ScheduleTest, AMemberMayWaitInSeveralLanesAndForHousekeeping) {
  MemberPlan plan = due(Lane::kRefresh, 10s);
  plan.calls.at(index_of(Lane::kSuperseded)) = PlannedCall{.due = kT0 + 20s};
  plan.housekeeping = kT0 + 30s;
  put(1, plan);
  EXPECT_EQ(first(Lane::kRefresh), 1);
  EXPECT_EQ(first(Lane::kSuperseded), 1);
  EXPECT_EQ(first_housekeeping(), 1);
  EXPECT_EQ(schedule.first_housekeeping()->at, kT0 + 30s);
  EXPECT_EQ(places.at(MemberId{1}).due(Lane::kRefresh), kT0 + 10s) << "kept with the member";
  EXPECT_EQ(places.at(MemberId{1}).due(Lane::kSuperseded), kT0 + 20s);
  EXPECT_FALSE(places.at(MemberId{1}).due(Lane::kIssue));
  EXPECT_EQ(places.at(MemberId{1}).housekeeping, kT0 + 30s);
}

TEST_F(ScheduleTest, ANewPlanTakesThePlaceOfTheOneBefore) {
  MemberPlan before = due(Lane::kRefresh, 10s);
  before.housekeeping = kT0 + 10s;
  put(1, before);
  put(1, due(Lane::kRefresh, 20s));
  EXPECT_EQ(schedule.first(Lane::kRefresh)->at, kT0 + 20s) << "one place in a queue";
  EXPECT_FALSE(schedule.first_housekeeping());
  put(1, due(Lane::kWaiting, 5s));
  EXPECT_EQ(first(Lane::kRefresh), 0) << "where the plan says, and nowhere else";
  EXPECT_EQ(first(Lane::kWaiting), 1);
  put(1, {});
  EXPECT_FALSE(schedule.next_due());
}

TEST_F(ScheduleTest, P9WithACallInFlightAMemberWaitsInNoLaneButKeepsItsHousekeeping) {
  MemberPlan plan = due(Lane::kRefresh, 10s);
  plan.calls.at(index_of(Lane::kSuperseded)) = PlannedCall{.due = kT0 + 20s};
  plan.housekeeping = kT0 + 30s;
  put(1, plan);
  put(1, plan, true);
  EXPECT_FALSE(schedule.next_due());
  EXPECT_FALSE(places.at(MemberId{1}).due(Lane::kRefresh));
  EXPECT_EQ(first_housekeeping(), 1);
  put(1, plan);
  EXPECT_EQ(schedule.next_due(), kT0 + 10s) << "its reply is here";
}

TEST_F(ScheduleTest, TheBacklogOfALaneIsWhatIsDueInIt) {
  put(1, due(Lane::kRefresh, 20s));
  put(2, due(Lane::kRefresh, 10s));
  put(3, due(Lane::kRefresh, 30s));
  put(4, due(Lane::kIssue, 1s));
  EXPECT_EQ(schedule.backlog(Lane::kRefresh, kT0 + 9s).calls, 0U);
  EXPECT_EQ(schedule.backlog(Lane::kRefresh, kT0 + 9s).oldest, 0s);
  EXPECT_EQ(schedule.backlog(Lane::kRefresh, kT0 + 10s).calls, 1U) << "due at this moment";
  EXPECT_EQ(schedule.backlog(Lane::kRefresh, kT0 + 25s).calls, 2U);
  EXPECT_EQ(schedule.backlog(Lane::kRefresh, kT0 + 25s).oldest, 15s);
  EXPECT_EQ(schedule.backlog(Lane::kRefresh, kT0 + 1h).calls, 3U);
  EXPECT_EQ(schedule.backlog(Lane::kRevocation, kT0 + 1h).calls, 0U);
}

TEST_F(ScheduleTest, CountsWhatIsDueBeforeATimeInAllLanes) {
  put(1, due(Lane::kRefresh, 20s));
  put(2, due(Lane::kIssue, 10s));
  put(3, due(Lane::kRefresh, 30s));
  EXPECT_EQ(schedule.due_before(kT0 + 10s), 0U);
  EXPECT_EQ(schedule.due_before(kT0 + 11s), 1U);
  EXPECT_EQ(schedule.due_before(kT0 + 30s), 2U);
  EXPECT_EQ(schedule.due_before(kT0 + 31s), 3U);
}

TEST_F(ScheduleTest, ACallThatIsDueAtOnceHasNoAge) {
  MemberPlan at_once;
  at_once.calls.at(index_of(Lane::kWaiting)) = PlannedCall{.lane = Lane::kWaiting, .due = {}};
  put(1, at_once);
  EXPECT_EQ(schedule.backlog(Lane::kWaiting, kT0).calls, 1U);
  EXPECT_EQ(schedule.backlog(Lane::kWaiting, kT0).oldest, 0s);
  put(2, due(Lane::kWaiting, 5s));
  EXPECT_EQ(schedule.backlog(Lane::kWaiting, kT0 + 7s).oldest, 2s);
}

TEST_F(ScheduleTest, AMemberThatIsRemovedIsInNoQueue) {
  MemberPlan plan = due(Lane::kRefresh, 10s);
  plan.housekeeping = kT0 + 30s;
  put(1, plan);
  put(2, plan);
  remove(1);
  EXPECT_EQ(first(Lane::kRefresh), 2) << "the other one of the same time stays";
  EXPECT_EQ(first_housekeeping(), 2);
  EXPECT_FALSE(places.at(MemberId{1}).due(Lane::kRefresh));
  EXPECT_FALSE(places.at(MemberId{1}).housekeeping);
  remove(1);
  EXPECT_EQ(first(Lane::kRefresh), 2) << "nothing more to remove";
}

TEST_F(ScheduleTest, ARecordThatWasLookedAtKeepsItsCalls) {
  MemberPlan plan = due(Lane::kRefresh, 10s);
  plan.housekeeping = kT0 + 5s;
  put(1, plan);
  put(2, look_at(6s));
  EXPECT_EQ(first_housekeeping(), 1);
  schedule.end_housekeeping(MemberId{1}, places.at(MemberId{1}));
  EXPECT_EQ(first_housekeeping(), 2);
  EXPECT_FALSE(places.at(MemberId{1}).housekeeping);
  EXPECT_EQ(first(Lane::kRefresh), 1);
}

}  // namespace
}  // namespace rota
