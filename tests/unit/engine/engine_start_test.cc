#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// Starts from what is on record.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

CallRow open_row(std::int64_t id, CallKind kind) {
  CallRow row;
  row.id = CallId{id};
  row.kind = kind;
  row.member = MemberId{1};
  row.opened_at = kT0 - 1s;
  return row;
}

TEST(EngineStart, PublishesWhatIsDurableBeforeAnyCall) {
  MemberRecord record = member_with_pair();
  EngineBox box(snapshot_of({record}), exact_policy(), {.wall = kT0 + 55min, .boot = BootTime{1h}});
  box.start();
  EXPECT_EQ(box.served(kGraceKey), "access-1") << "no commit, no call is waited for";
  EXPECT_THAT(box.calls, IsEmpty());
  box.settle();
  ASSERT_THAT(box.calls, SizeIs(1));
  EXPECT_EQ(box.calls.front().request.kind, CallKind::kRefresh);
}

TEST(EngineStart, SaysWhichRowsWereSetAside) {
  Snapshot snapshot = snapshot_of({member_with_pair()});
  snapshot.rows_set_aside = 2;
  snapshot.set_aside = {"row 5 of table call"};
  EngineBox box(std::move(snapshot));
  box.start();
  ASSERT_EQ(box.told("rows_set_aside"), 1U);
  EXPECT_THAT(box.notices.front().text, testing::HasSubstr(": row 5 of table call and others"));
}

TEST(EngineStart, ACallOfTheLastProcessIsADoubtAsLongAsItsTokenCanLive) {
  struct Case {
    CallKind kind;
    Duration access_life;
    std::optional<Duration> doubt;
  };
  for (const auto& [kind, access_life, doubt] : {
           Case{CallKind::kIssue, 1h, std::chrono::days{31}},
           Case{CallKind::kRefresh, 1h, 1h},
           Case{CallKind::kRefresh, 6h, 6h},    // the ledger tells how long tokens live here
           Case{CallKind::kRefresh, 5min, 1h},  // one short token says nothing of the lost one
           Case{CallKind::kRevokeAccess, 1h, std::nullopt},
       }) {
    MemberRecord record = member_with_pair();
    record.tokens[0].expires_at = kT0 + access_life;
    EngineBox box(snapshot_of({record}, {open_row(5, kind)}));
    box.start();
    EXPECT_EQ(box.engine.budget().used(box.now.boot), 1U) << "it is a slot of the budget";
    box.settle();
    const CallRow* row = box.durable.find_call(CallId{5});
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->fate, CallFate::kUnknown);
    EXPECT_EQ(row->doubt_until, doubt ? std::optional(kT0 + *doubt + 30s) : std::nullopt)
        << name_of(kind) << " " << access_life.count();
    EXPECT_EQ(box.engine.journal().doubts_of(MemberId{1}), doubt ? 1U : 0U);
  }
}

TEST(EngineStart, P3AKillBetweenCallAndCommitLosesNothingThatWasServed) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  box.reply(box.oldest_call(), refreshed("access-2", box.circle() + 1h));
  EngineBox again = box.restarted(3s);  // the commit of access-2 did not come to pass
  again.start();
  EXPECT_EQ(again.served(kGraceKey), "access-1");
  again.settle();
  EXPECT_EQ(again.engine.journal().doubts(), 1U) << "P3: access-2 is lost, and that is on record";
  EXPECT_EQ(again.oldest_call().request.kind, CallKind::kRefresh);
}

TEST(EngineStart, ARetirementGoesOnAcrossARestart) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey, true)});
  box.settle();
  EngineBox again = box.restarted(1min);
  again.start();
  EXPECT_EQ(again.table.find(kGraceKey)->state, MemberState::kRetiring);
  again.reply_last(CallKind::kRevokeRefresh, AlreadyDead{});
  again.reply_last(CallKind::kRevokeAccess, Revoked{});
  EXPECT_EQ(again.slot(kGraceKey).record.state, MemberState::kRetired);
}

}  // namespace
}  // namespace rota::test
