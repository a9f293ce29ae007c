#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "plan/lifecycle.h"
#include "roster/guard.h"
#include "roster/sorted_roster.h"
#include "support/roster_diff.h"
#include "tests/unit/engine/engine_box.h"

// A roster that comes into force in slices: in the end it is the same as in one piece.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<RosterEntry> members(int from, int to) {
  std::vector<RosterEntry> entries;
  for (int i = from; i <= to; ++i) entries.push_back(entry(fmt::format("id:{}", i)));
  return entries;
}

Roster roster_of(std::vector<RosterEntry> entries, Fingerprint fingerprint = 0) {
  Roster roster;
  roster.entries = std::move(entries);
  roster.fingerprint = fingerprint;
  return roster;
}

constexpr int kMany = 3'000;

TEST(EngineRosterJob, P8ALargeOneIsManySmallBatches) {
  EngineBox box;
  box.start();
  box.request(SortedRoster::of(roster_of(members(1, kMany), 7)));
  std::size_t largest = 0;
  std::size_t turns = 0;
  while (box.engine.applies_roster() || box.commit_pending()) {
    ++turns;
    if (box.commit_pending()) {
      largest = std::max(largest, box.pending->size());
      EXPECT_THAT(box.rosters_in_force, IsEmpty()) << "not before the last batch";
      box.commit_ok();
    }
    const std::size_t before = box.engine.members().size();
    box.advance(Duration{0});
    EXPECT_LE(box.engine.members().size() - before, 128U) << "one pass does little";
  }
  EXPECT_EQ(box.engine.members().size(), static_cast<std::size_t>(kMany));
  EXPECT_LT(largest, 600U);
  EXPECT_GT(turns, 20U);
  EXPECT_THAT(box.rosters_in_force, SizeIs(1));
  EXPECT_THAT(box.reloads.at(0).add, SizeIs(kMany));
  EXPECT_EQ(box.engine.roster_on_record(), 7U);
}

// What a kill in the middle leaves is a part of what was asked for: no leaver is forgotten.
TEST(EngineRosterJob, P4AStartAfterAKillInTheMiddleGoesOn) {
  EngineBox box;
  box.start();
  box.request(SortedRoster::of(roster_of(members(1, kMany), 7)));
  finish_rosters(box);
  box.request(SortedRoster::of(roster_of(members(31, kMany + 1'000), 8)));
  while (!box.commit_pending()) box.advance(Duration{0});
  box.commit_ok();
  EngineBox next = box.restarted(Duration{1'000});
  next.start();
  EXPECT_EQ(next.engine.roster_on_record(), 0U) << "none is in force as it stands";
  next.request(SortedRoster::of(roster_of(members(31, kMany + 1'000), 8)));
  finish_rosters(next);
  EXPECT_EQ(next.engine.roster_on_record(), 8U);
  for (int i = 1; i <= 30; ++i) {
    EXPECT_NE(next.slot(fmt::format("id:{}", i)).record.state, MemberState::kActive) << i;
  }
}

constexpr int kFew = 12;

// A box whose members 1 to kFew are served, and whose rosters come into force two changes at a
// time.
EngineBox box_with_few() {
  std::vector<MemberRecord> records;
  for (int i = 1; i <= kFew; ++i) {
    records.push_back(member(i, MemberState::kActive, fmt::format("id:{}", i)));
    records.back().community_member_id = i;
    records.back().community_id = 1;
    records.back().tokens = {access_token(2 * i, fmt::format("a{}", i)),
                             refresh_token(2 * i + 1, fmt::format("r{}", i))};
  }
  EngineBox box(snapshot_of(std::move(records)));
  box.engine.pace_rosters({.slice_units_max = 16, .batch_steps_max = 2});
  box.start();
  box.settle();
  return box;
}

// How many of the first `last` members are served, each with its own token.
int served_to(const EngineBox& box, int last) {
  int served = 0;
  for (int i = 1; i <= last; ++i) {
    const std::string token = box.served(fmt::format("id:{}", i));
    EXPECT_TRUE(token.empty() || token == fmt::format("a{}", i));
    served += token.empty() ? 0 : 1;
  }
  return served;
}

TEST(EngineRosterJob, P4EachLeaverIsServedUntilItsSliceAndNothingAfterIt) {
  EngineBox box = box_with_few();
  constexpr int kLeavers = 5;
  box.request(SortedRoster::of(roster_of(members(kLeavers + 1, kFew), 8)));
  int served = kFew;
  std::size_t falls = 0;
  while (box.engine.applies_roster() || box.commit_pending()) {
    if (box.commit_pending()) box.commit_ok();
    const int now_served = served_to(box, kFew);
    EXPECT_LE(now_served, served) << "no leaver comes back between two slices";
    falls += now_served < served ? 1 : 0;
    served = now_served;
    for (int i = 1; i <= kLeavers; ++i) {
      const std::string key = fmt::format("id:{}", i);
      const MemberRecord* on_record = box.durable.find_member(MemberId{i});
      if (on_record != nullptr && on_record->state != MemberState::kActive) {
        EXPECT_EQ(box.served(key), "") << key << " has left";
      }
    }
    box.advance(Duration{0});
  }
  EXPECT_EQ(served, kFew - kLeavers);
  EXPECT_GT(falls, 1U) << "slice by slice";
  EXPECT_EQ(box.engine.roster_on_record(), 8U);
}

TEST(EngineRosterJob, P6AnApprovalMeanwhileComesAfterTheOneThatIsUnderWay) {
  EngineBox box = box_with_few();
  const auto few = SortedRoster::of(roster_of(members(9, kFew + 6), 8));
  box.request(few);
  finish_rosters(box);
  ASSERT_TRUE(box.reloads.at(0).held);
  box.request(few);
  box.request(few, box.reloads.at(0).id);
  EXPECT_EQ(served_to(box, 8), 8);
  finish_rosters(box);
  EXPECT_TRUE(box.reloads.at(1).held);
  EXPECT_FALSE(box.reloads.at(2).held);
  EXPECT_EQ(served_to(box, 8), 0);
  EXPECT_EQ(box.engine.roster_on_record(), 8U);
}

TEST(EngineRosterJob, P6AnApprovalThatIsRefusedTakesNoRosterWithIt) {
  EngineBox box = box_with_few();
  box.request(SortedRoster::of(roster_of(members(1, kFew + 20), 7)));
  const auto latest = SortedRoster::of(roster_of(members(1, kFew + 30), 8));
  box.request(latest);
  box.request(latest, "0123456789abcdef");
  finish_rosters(box);
  EXPECT_THAT(box.failed_reloads, SizeIs(1));
  EXPECT_THAT(box.reloads, SizeIs(2));
  EXPECT_EQ(box.engine.roster_on_record(), 8U);
  EXPECT_EQ(box.engine.members().size(), static_cast<std::size_t>(kFew + 30));
}

TEST(EngineRosterJob, P11NoMoreThanAFewApprovalsWait) {
  EngineBox box = box_with_few();
  const auto roster = SortedRoster::of(roster_of(members(1, kFew + 20), 7));
  box.request(roster);
  for (int i = 0; i < 20; ++i) box.request(roster, "0123456789abcdef");
  EXPECT_THAT(box.failed_reloads, SizeIs(16)) << "at once";
  finish_rosters(box);
  EXPECT_THAT(box.failed_reloads, SizeIs(20));
}

// Grants that came wait for RosterInForce (daemon/grants_in_force.h).
TEST(EngineRosterJob, P11ADiskThatIsFullInTheMiddleLetsNoRosterCountAsInForce) {
  EngineBox box = box_with_few();
  box.request(SortedRoster::of(roster_of(members(4, kFew + 4), 8)));
  for (int durable = 0; durable < 2;) {
    if (box.commit_pending()) {
      box.commit_ok();
      ++durable;
    }
    box.advance(Duration{0});
  }
  ASSERT_TRUE(box.engine.applies_roster());
  while (!box.commit_pending()) box.advance(Duration{0});
  box.commit_fail();
  EXPECT_THAT(box.failed_reloads, SizeIs(1));
  EXPECT_THAT(box.rosters_in_force, IsEmpty());
  EXPECT_EQ(box.engine.roster_on_record(), 0U);
  box.advance(std::chrono::seconds{30});
  finish_rosters(box);
  EXPECT_THAT(box.rosters_in_force, SizeIs(1));
  EXPECT_EQ(box.engine.roster_on_record(), 8U);
  EXPECT_EQ(served_to(box, 3), 0);
}

TEST(EngineRosterJob, P6AnotherSpellingIsAChange) {
  EngineBox box = box_with_grace();
  box.request(SortedRoster::of(roster_of({entry("email:Grace@example.com")}, 8)));
  finish_rosters(box);
  EXPECT_THAT(box.reloads.back().change, SizeIs(1));
  EXPECT_THAT(box.reloads.back().retire, IsEmpty());
  EXPECT_EQ(box.served(kGraceKey), "access-1");
}

TEST(EngineRosterJob, OneThatComesMeanwhileReplacesTheOneThatWaits) {
  EngineBox box;
  box.start();
  box.request(SortedRoster::of(roster_of(members(1, kMany))));
  box.request(SortedRoster::of(roster_of(members(1, kMany + 1))));
  box.request(SortedRoster::of(roster_of(members(1, kMany + 2))));
  finish_rosters(box);
  EXPECT_THAT(box.reloads, SizeIs(3)) << "each has its answer";
  EXPECT_THAT(box.rosters_in_force, SizeIs(3));
  EXPECT_THAT(box.reloads.at(1).add, SizeIs(2)) << "the last one's";
  EXPECT_EQ(box.engine.members().size(), static_cast<std::size_t>(kMany + 2));
}

TEST(EngineRosterJob, AFullDiskAnswersAtOnceAndGoesOnOnceThereIsRoom) {
  EngineBox box;
  box.start();
  box.request(SortedRoster::of(roster_of(members(1, kMany))));
  while (!box.commit_pending()) box.advance(Duration{0});
  box.commit_fail();
  EXPECT_THAT(box.failed_reloads, SizeIs(1));
  EXPECT_THAT(box.rosters_in_force, IsEmpty());
  for (int i = 0; i < 100; ++i) box.advance(Duration{0});
  EXPECT_LT(box.engine.members().size(), static_cast<std::size_t>(kMany))
      << "memory does not run ahead";
  box.run_for(std::chrono::seconds{30});
  EXPECT_EQ(box.engine.members().size(), static_cast<std::size_t>(kMany));
  EXPECT_THAT(box.rosters_in_force, SizeIs(1));
  EXPECT_THAT(box.reloads, IsEmpty()) << "it was answered";
}

TEST(EngineRosterJob, P6AnApprovalForAnotherPlanAppliesNothing) {
  EngineBox box;
  box.start();
  box.request(SortedRoster::of(roster_of(members(1, 20))));
  finish_rosters(box);
  box.request(SortedRoster::of(roster_of(members(10, 30))), "0123456789abcdef");
  finish_rosters(box);
  ASSERT_THAT(box.failed_reloads, SizeIs(1));
  EXPECT_EQ(box.failed_reloads[0].kind, ErrorKind::kInvalid);
  EXPECT_EQ(box.engine.members().size(), 20U);
  EXPECT_EQ(box.engine.held_plan(), nullptr);
  EXPECT_THAT(box.rosters_in_force, SizeIs(1)) << "the first one alone";
  box.request(SortedRoster::of(roster_of(members(10, 30))));
  finish_rosters(box);
  ASSERT_TRUE(box.reloads.back().held);
  EXPECT_EQ(box.engine.members().size(), 30U);
  box.request(SortedRoster::of(roster_of(members(10, 30))), box.reloads.back().id);
  finish_rosters(box);
  EXPECT_FALSE(box.reloads.back().held);
  EXPECT_EQ(box.engine.held_plan(), nullptr);
}

TEST(EngineRosterJob, AStopLeavesTheRestToTheNextStart) {
  EngineBox box;
  box.start();
  box.request(SortedRoster::of(roster_of(members(1, kMany))));
  while (!box.commit_pending()) box.advance(Duration{0});
  box.stop();
  box.settle();
  EXPECT_TRUE(box.engine.drained());
  EXPECT_LT(box.engine.members().size(), static_cast<std::size_t>(kMany));
}

// Approved are the first eight of twelve; the process ends once a part of them has left.
TEST(EngineRosterJob, P6TheRestOfAnApprovedPlanNeedsNoSecondApprovalAfterAKill) {
  EngineBox box = box_with_few();
  const auto few = SortedRoster::of(roster_of(members(9, kFew), 8));
  box.request(few);
  finish_rosters(box);
  ASSERT_TRUE(box.reloads.at(0).held);
  box.request(few, box.reloads.at(0).id);
  while (served_to(box, 8) == 8) {
    if (box.commit_pending()) box.commit_ok();
    box.advance(Duration{0});
  }
  ASSERT_GT(served_to(box, 8), 5) << "six of eight are more than the guard lets through";

  EngineBox next = box.restarted(Duration{1'000});
  next.start();
  next.request(few);
  finish_rosters(next);
  EXPECT_FALSE(next.reloads.at(0).held);
  EXPECT_EQ(served_to(next, 8), 0);
  EXPECT_EQ(next.engine.roster_on_record(), 8U);

  EngineBox another = box.restarted(Duration{1'000});
  another.start();
  another.request(SortedRoster::of(roster_of(members(9, kFew), 9)));
  finish_rosters(another);
  EXPECT_TRUE(another.reloads.at(0).held) << "another roster is another matter";
  another.request(few);
  finish_rosters(another);
  EXPECT_TRUE(another.reloads.at(1).held) << "and ends the approval";
}

TEST(EngineRosterJob, P6AnApprovalIsForOnce) {
  EngineBox box = box_with_few();
  const auto few = SortedRoster::of(roster_of(members(9, kFew), 8));
  box.request(few);
  finish_rosters(box);
  box.request(few, box.reloads.at(0).id);
  finish_rosters(box);
  box.request(SortedRoster::of(roster_of(members(1, kFew), 9)));
  finish_rosters(box);
  EngineBox next = box.restarted(Duration{1'000});
  next.start();
  next.request(few);
  finish_rosters(next);
  EXPECT_TRUE(next.reloads.at(0).held);
}

TEST(EngineRosterJob, P8ALookAtALargeOneIsManySlicesAndChangesNothing) {
  EngineBox box;
  box.engine.pace_rosters({.slice_units_max = 64, .batch_steps_max = 64});
  box.start();
  box.plan(SortedRoster::of(roster_of(members(1, kMany), 7)));
  std::size_t turns = 0;
  for (; box.plans.empty(); ++turns) {
    ASSERT_EQ(box.engine.next_wake(box.now), box.now.boot) << "it goes on at once";
    box.advance(Duration{0});
  }
  EXPECT_GT(turns, 40U);
  EXPECT_THAT(box.plans.at(0).add, SizeIs(kMany));
  EXPECT_NE(box.plans.at(0).json, "");
  EXPECT_EQ(box.engine.members().size(), 0U);
  EXPECT_FALSE(box.commit_pending());
}

// Between two slices there is a mixture of two rosters.
TEST(EngineRosterJob, ALookWaitsForARosterThatIsUnderWay) {
  EngineBox box = box_with_few();
  const auto more = SortedRoster::of(roster_of(members(1, kFew + 20), 8));
  box.request(more);
  box.plan(more);
  while (box.engine.applies_roster()) {
    EXPECT_THAT(box.plans, IsEmpty());
    if (box.commit_pending()) box.commit_ok();
    box.advance(Duration{0});
  }
  for (int i = 0; i < 100 && box.plans.empty(); ++i) box.advance(Duration{0});
  ASSERT_THAT(box.plans, SizeIs(1));
  EXPECT_THAT(box.plans.at(0).add, IsEmpty());
}

TEST(EngineRosterJob, ALookBeginsAnewIfARosterComesIntoForceMeanwhile) {
  EngineBox box = box_with_few();
  const auto more = SortedRoster::of(roster_of(members(1, kFew + 20), 8));
  box.plan(more);
  ASSERT_THAT(box.plans, IsEmpty()) << "it has begun";
  box.request(more);
  finish_rosters(box);
  for (int i = 0; i < 100 && box.plans.empty(); ++i) box.advance(Duration{0});
  ASSERT_THAT(box.plans, SizeIs(1));
  EXPECT_THAT(box.plans.at(0).add, IsEmpty());
}

TEST(EngineRosterJob, AFullDiskKeepsNobodyFromLooking) {
  EngineBox box = box_with_few();
  const auto more = SortedRoster::of(roster_of(members(1, kFew + 20), 8));
  box.request(more);
  while (!box.commit_pending()) box.advance(Duration{0});
  box.commit_fail();
  ASSERT_TRUE(box.engine.applies_roster());
  box.plan(more);
  for (int i = 0; i < 100 && box.plans.empty(); ++i) box.advance(Duration{0});
  EXPECT_THAT(box.plans, SizeIs(1));
}

// The answer to an approval that is refused stands on nothing that is to be stored.
TEST(EngineRosterJob, P6AnApprovalIsRefusedAtOnceWhateverTheDiskDoes) {
  EngineBox box = box_with_few();
  box.operate("id:1", OperatorAction::kRevoke);
  ASSERT_TRUE(box.commit_pending());
  box.commit_fail();
  box.request(SortedRoster::of(roster_of(members(1, kFew), 7)), "0123456789abcdef");
  for (int i = 0; i < 100; ++i) box.advance(Duration{0});
  ASSERT_THAT(box.failed_reloads, SizeIs(1));
  EXPECT_EQ(box.failed_reloads.back().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace rota::test
