#include "engine/rosters.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/unit/plan/records.h"

// Whose turn it is, what the guard holds back, and which approvals count. The members are a list.
namespace rota::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Step = Rosters::Step;
using Kind = Rosters::Verdict::Kind;

constexpr GuardPolicy kGuard{.max_retire_count = 2, .max_retire_fraction = 0};

// The members id:FROM to id:TO.
SortedRosterPtr roster(int from, int to, Fingerprint fingerprint) {
  Roster all;
  for (int i = from; i <= to; ++i) {
    all.entries.push_back({.key = MemberKey::parse(fmt::format("id:{}", i)).value(),
                           .name = {},
                           .tags = {},
                           .retired = false});
  }
  all.fingerprint = fingerprint;
  return SortedRoster::of(all);
}

class RostersTest : public testing::Test {
 protected:
  Result<void> ask(SortedRosterPtr wanted, const std::string& approve = {}) {
    return rosters.ask(
        {.roster = std::move(wanted), .approve = approve, .reload = ReloadId{++reloads}});
  }

  // Does the next step, as the engine does.
  Step step(bool commits_fail = false) {
    const Step next = rosters.next_step(commits_fail);
    switch (next) {
      case Step::kNone:
        break;
      case Step::kCompare:
        rosters.compare(
            find(rosters.next_look(MemberId{static_cast<std::int64_t>(records.size())})));
        break;
      case Step::kJudge:
        verdicts.push_back(rosters.judge(changes));
        break;
      case Step::kPrepare:
        rosters.prepare(changes);
        break;
      case Step::kChange:
        if (const auto change = rosters.next_change()) {
          make(*change);
        } else {
          finished.push_back(rosters.finish(changes));
        }
        break;
      case Step::kShow:
        shown.push_back(rosters.show());
        break;
    }
    return next;
  }
  void finish() {
    do rosters.on_batch_closed();
    while (step() != Step::kNone);
  }
  void step_until(Step wanted) {
    while (rosters.has_step(false) && rosters.next_step(false) != wanted) step();
  }
  Kind judged(SortedRosterPtr wanted, const std::string& approve = {}) {
    EXPECT_TRUE(ask(std::move(wanted), approve));
    finish();
    return verdicts.back().kind;
  }

  const MemberRecord* find(const RosterJob::Look& look) const {
    for (const MemberRecord& record : records) {
      if (look.member == record.id) return &record;
      if (look.key != nullptr && record.selectors.front().key == *look.key) return &record;
    }
    return nullptr;
  }
  void make(const RosterChange& change) {
    if (change.kind == RosterChange::Kind::kPut) {
      records.push_back(member(static_cast<std::int64_t>(records.size()), MemberState::kActive,
                               change.entry->key.text()));
    }
    if (change.kind == RosterChange::Kind::kTakeOut) {
      std::erase_if(records, [&change](const MemberRecord& record) {
        return record.selectors.front().key == *change.key;
      });
      for (std::size_t i = 0; i < records.size(); ++i) {
        records[i].id = MemberId{static_cast<std::int64_t>(i)};
      }
    }
  }

  Rosters rosters{kGuard, 0, 0};
  std::vector<MemberRecord> records;  // the id of each is its place
  std::uint64_t reloads = 0;
  std::vector<Mutation> changes;
  std::vector<Rosters::Verdict> verdicts;
  std::vector<Rosters::Finished> finished;
  std::vector<command::Planned> shown;
};

TEST_F(RostersTest, ARosterIsComparedJudgedPreparedAndChanged) {
  EXPECT_FALSE(rosters.is_under_way());
  EXPECT_EQ(step(), Step::kNone);
  ASSERT_TRUE(ask(roster(1, 3, 7)));
  EXPECT_TRUE(rosters.is_under_way());
  std::vector<Step> order;
  for (Step next = step(); next != Step::kNone; next = step()) {
    if (order.empty() || order.back() != next) order.push_back(next);
  }
  EXPECT_THAT(order, ElementsAre(Step::kCompare, Step::kJudge, Step::kPrepare, Step::kChange));
  EXPECT_FALSE(rosters.is_under_way());
  EXPECT_EQ(records.size(), 3U);
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_TRUE(finished[0].changed_anything);
  EXPECT_THAT(finished[0].in_force, ElementsAre(ReloadId{1}));
  EXPECT_THAT(finished[0].unanswered, ElementsAre(ReloadId{1}));
}

TEST_F(RostersTest, ALaterRosterReplacesTheLastOneThatWaitsButNotTheOneThatHasBegun) {
  ASSERT_TRUE(ask(roster(1, 3, 7)));
  step();
  ASSERT_TRUE(ask(roster(1, 4, 8)));
  ASSERT_TRUE(ask(roster(1, 5, 9)));
  finish();
  ASSERT_EQ(finished.size(), 2U);
  EXPECT_THAT(finished[0].in_force, ElementsAre(ReloadId{1}));
  EXPECT_THAT(finished[1].in_force, ElementsAre(ReloadId{2}, ReloadId{3}));
  EXPECT_EQ(rosters.fingerprint(), 9U);
  EXPECT_EQ(records.size(), 5U);
}

TEST_F(RostersTest, P6AnApprovalReplacesNoRosterAndNoRosterReplacesIt) {
  for (const std::string approve : {"", "0123456789abcdef", ""}) {
    ASSERT_TRUE(ask(roster(1, 3, 7), approve));
  }
  finish();
  EXPECT_EQ(finished.size(), 2U);
  ASSERT_EQ(verdicts.size(), 3U);
  EXPECT_EQ(verdicts[1].kind, Kind::kRefused);
  EXPECT_THAT(verdicts[1].refused, ElementsAre(ReloadId{2}));
}

TEST_F(RostersTest, P6OnlySoManyApprovalsWait) {
  for (std::ptrdiff_t i = 0; i < Rosters::kApprovalsWaitingMax; ++i) {
    ASSERT_TRUE(ask(roster(1, 3, 7), "0123456789abcdef"));
  }
  const auto refused = ask(roster(1, 3, 7), "0123456789abcdef");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(ask(roster(1, 3, 7))) << "another roster always waits";
  step();
  EXPECT_TRUE(ask(roster(1, 3, 7), "0123456789abcdef")) << "one has begun";
}

TEST_F(RostersTest, P6TheGuardHoldsMoreLeaversThanItsLimit) {
  EXPECT_EQ(judged(roster(1, 10, 7)), Kind::kAllowed);
  EXPECT_EQ(judged(roster(3, 10, 8)), Kind::kAllowed) << "two leave";
  EXPECT_EQ(rosters.held(), nullptr);
  EXPECT_EQ(judged(roster(6, 10, 9)), Kind::kHeld) << "three leave";
  EXPECT_EQ(verdicts.back().retire, 3U);
  ASSERT_NE(rosters.held(), nullptr);
  EXPECT_EQ(rosters.held()->id, verdicts.back().plan);
  EXPECT_EQ(records.size(), 8U);
  EXPECT_EQ(rosters.fingerprint(), 0U) << "it is not in force as a whole";
  EXPECT_EQ(judged(roster(6, 10, 9)), Kind::kStillHeld);
  EXPECT_EQ(judged(roster(7, 10, 10)), Kind::kHeld) << "another plan";
  EXPECT_EQ(judged(roster(3, 10, 8)), Kind::kAllowed);
  EXPECT_EQ(rosters.held(), nullptr);
}

TEST_F(RostersTest, P6AnApprovalIsForExactlyThePlanThatIsHeld) {
  judged(roster(1, 10, 7));
  judged(roster(6, 10, 8));
  const std::string held = verdicts.back().plan;
  EXPECT_EQ(judged(roster(7, 10, 9), held), Kind::kRefused) << "one more would leave";
  EXPECT_EQ(verdicts.back().why.kind, ErrorKind::kInvalid);
  EXPECT_EQ(records.size(), 10U);
  ASSERT_NE(rosters.held(), nullptr);
  EXPECT_EQ(rosters.held()->id, held);
  EXPECT_EQ(judged(roster(1, 10, 7), held), Kind::kRefused) << "nobody would leave";
  EXPECT_EQ(judged(roster(6, 10, 8), held), Kind::kApproved);
  EXPECT_EQ(records.size(), 5U);
  EXPECT_EQ(rosters.held(), nullptr);
  EXPECT_EQ(rosters.fingerprint(), 8U);
}

TEST_F(RostersTest, P6AnApprovalIsOnRecordUntilAllOfItIs) {
  judged(roster(1, 10, 7));
  judged(roster(6, 10, 8));
  changes.clear();
  ASSERT_TRUE(ask(roster(6, 10, 8), verdicts.back().plan));
  step_until(Step::kChange);
  const auto approved = [this] {
    std::vector<std::int64_t> values;
    for (const Mutation& change : changes) {
      const auto* meta = std::get_if<PutMeta>(&change);
      if (meta != nullptr && meta->key == MetaKey::kApprovedRoster) values.push_back(meta->value);
    }
    return values;
  };
  EXPECT_THAT(approved(), ElementsAre(8));
  // The process ends here. The next one knows the approval from the record.
  rosters = Rosters(kGuard, 0, 8);
  EXPECT_EQ(judged(roster(6, 10, 8)), Kind::kRestApproved);
  EXPECT_THAT(approved(), ElementsAre(8, 0));
  EXPECT_EQ(records.size(), 5U);
}

TEST_F(RostersTest, P6WhatWasApprovedBeforeACrashIsNoApprovalOfAnotherRoster) {
  judged(roster(1, 10, 7));
  rosters = Rosters(kGuard, 7, 8);
  EXPECT_EQ(judged(roster(6, 10, 9)), Kind::kHeld);
  EXPECT_EQ(records.size(), 10U);
}

TEST_F(RostersTest, P8ABatchTakesSoManyChangesAndNoMore) {
  rosters.set_pace({.slice_units_max = 1'000, .batch_steps_max = 2});
  ASSERT_TRUE(ask(roster(1, 3, 7)));
  while (step() != Step::kNone) continue;
  EXPECT_EQ(records.size(), 2U);
  EXPECT_FALSE(rosters.has_step(false));
  EXPECT_TRUE(rosters.is_under_way());
  rosters.on_batch_closed();
  while (step() != Step::kNone) continue;
  EXPECT_EQ(records.size(), 3U);
  EXPECT_FALSE(rosters.is_under_way());
}

TEST_F(RostersTest, P4NoRosterIsOnRecordAsInForceWhileItsChangesAreMade) {
  judged(roster(1, 3, 7));
  EXPECT_EQ(rosters.fingerprint(), 7U);
  ASSERT_TRUE(ask(roster(1, 4, 8)));
  step_until(Step::kChange);
  EXPECT_EQ(rosters.fingerprint(), 0U);
  finish();
  EXPECT_EQ(rosters.fingerprint(), 8U);
}

TEST_F(RostersTest, AQuestionChangesNothingAndWaitsForARosterUnlessCommitsFail) {
  rosters.set_pace({.slice_units_max = 1'000, .batch_steps_max = 1});
  ASSERT_TRUE(ask(roster(1, 3, 7)));
  rosters.look(PlanId{1}, roster(1, 5, 8));
  while (step() != Step::kNone) continue;
  EXPECT_THAT(shown, IsEmpty());
  while (step(true) != Step::kNone) continue;
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0].result->add.size(), 4U) << "one of five is in force";
  rosters.look(PlanId{2}, roster(1, 5, 8));
  finish();
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[1].result->add.size(), 2U);
  EXPECT_EQ(records.size(), 3U);
}

TEST_F(RostersTest, WhileCommitsFailEverybodyIsAnsweredOnceAndTheRostersGoOn) {
  ASSERT_TRUE(ask(roster(1, 3, 7)));
  step();
  ASSERT_TRUE(ask(roster(1, 4, 8)));
  EXPECT_THAT(rosters.take_unanswered(), ElementsAre(ReloadId{1}, ReloadId{2}));
  EXPECT_THAT(rosters.take_unanswered(), IsEmpty());
  finish();
  ASSERT_EQ(finished.size(), 2U);
  EXPECT_THAT(finished[1].unanswered, IsEmpty());
  EXPECT_THAT(finished[1].in_force, ElementsAre(ReloadId{2}));
}

}  // namespace
}  // namespace rota::test
