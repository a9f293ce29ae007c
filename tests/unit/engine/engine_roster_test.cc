#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// P6: what a roster changes, and what the guard holds.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int kMembers = 20;

std::vector<RosterEntry> members(int from, int to) {
  std::vector<RosterEntry> entries;
  for (int i = from; i <= to; ++i) entries.push_back(entry(fmt::format("id:{}", i)));
  return entries;
}

class EngineRosterTest : public testing::Test {
 protected:
  EngineRosterTest() {
    std::vector<MemberRecord> records;
    for (int i = 1; i <= kMembers; ++i) {
      records.push_back(member(i, MemberState::kActive, fmt::format("id:{}", i)));
      records.back().community_member_id = i;
      records.back().community_id = 1;
      records.back().tokens = {access_token(2 * i, fmt::format("a{}", i)),
                               refresh_token(2 * i + 1, fmt::format("r{}", i))};
    }
    box.emplace(snapshot_of(std::move(records)));
    box->start();
    box->settle();
  }
  std::size_t in_state(MemberState state) const {
    std::size_t count = 0;
    for (int i = 1; i <= kMembers; ++i) {
      count += box->slot(fmt::format("id:{}", i)).record.state == state ? 1 : 0;
    }
    return count;
  }
  std::optional<EngineBox> box;
};

TEST_F(EngineRosterTest, P6TheSameRosterChangesNothing) {
  box->roster(members(1, kMembers));
  box->settle();
  const RosterPlan& plan = box->reloads.at(0);
  EXPECT_FALSE(plan.held);
  EXPECT_THAT(plan.add, IsEmpty());
  EXPECT_THAT(plan.retire, IsEmpty());
  EXPECT_EQ(plan.calls, 0U);
  EXPECT_THAT(box->calls, IsEmpty());
}

TEST_F(EngineRosterTest, P6AsManyAsTheGuardAllowsAreRetiredAtOnce) {
  box->roster(members(6, kMembers));
  box->settle();
  EXPECT_FALSE(box->reloads.at(0).held);
  EXPECT_THAT(box->reloads.at(0).retire, SizeIs(5));
  EXPECT_EQ(box->reloads.at(0).calls, 10U);
  EXPECT_EQ(in_state(MemberState::kRetiring), 5U);
}

// The bytes of a leaver's tokens do not stay in the log of the store.
TEST_F(EngineRosterTest, P10OfALeaverNothingIsLeftOnDisk) {
  const std::int64_t before = box->durable.scrubs();
  box->roster(members(2, kMembers));
  box->settle();
  EXPECT_EQ(box->durable.scrubs(), before) << "its tokens are alive";
  box->reply_last(CallKind::kRevokeRefresh, Revoked{});
  EXPECT_EQ(box->durable.scrubs(), before);
  box->reply_last(CallKind::kRevokeAccess, Revoked{});
  EXPECT_EQ(box->durable.scrubs(), before + 1);
  EXPECT_EQ(box->slot("id:1").record.state, MemberState::kRetired);
}

TEST_F(EngineRosterTest, P6OneMoreIsHeldAndItsAdditionsAndChangesApply) {
  auto wanted = members(7, kMembers + 1);
  wanted.front().tags = {"support"};
  box->roster(wanted);
  box->settle();
  const RosterPlan plan = box->reloads.at(0);
  EXPECT_TRUE(plan.held);
  EXPECT_THAT(plan.retire, SizeIs(6));
  EXPECT_THAT(plan.add, SizeIs(1));
  EXPECT_THAT(plan.change, SizeIs(1));
  EXPECT_EQ(in_state(MemberState::kActive), static_cast<std::size_t>(kMembers));
  EXPECT_EQ(box->slot("id:21").record.state, MemberState::kActive);
  EXPECT_EQ(box->table.find("id:7")->tags, std::vector<std::string>{"support"});
  ASSERT_TRUE(box->engine.held_plan());
  EXPECT_EQ(box->told("plan_held"), 1U);
  box->roster(wanted);
  box->settle();
  EXPECT_EQ(box->told("plan_held"), 1U) << "the same plan is said once";
  EXPECT_EQ(box->reloads.at(1).id, plan.id);
}

// The store takes nothing: what is served is what both rosters let a client have.
TEST_F(EngineRosterTest, P11ATagThatMovesWhileTheDiskIsFullIsNobodysUntilItIsDurable) {
  auto wanted = members(1, kMembers);
  wanted[0].tags = {"support", "web"};
  wanted[2].tags = {"support"};
  box->roster(wanted);
  box->settle();
  const auto tags = [this](std::string_view key) { return box->table.find(key)->tags; };
  ASSERT_EQ(tags("id:1"), (std::vector<std::string>{"support", "web"}));
  box->operate("id:1", OperatorAction::kRotate);  // any change, whose commit fails
  box->commit_fail();
  wanted[0].tags = {"web", "x"};
  wanted[1].tags = {"support"};
  wanted[2].name = "Grace";
  box->roster(wanted);
  EXPECT_EQ(tags("id:1"), std::vector<std::string>{"web"});
  EXPECT_EQ(tags("id:2"), std::vector<std::string>{});
  EXPECT_EQ(tags("id:3"), std::vector<std::string>{"support"}) << "which both have";
  wanted[0].tags = {"support"};  // and back
  box->roster(wanted);
  EXPECT_EQ(tags("id:1"), std::vector<std::string>{});
  box->run_for(10s);
  EXPECT_EQ(tags("id:1"), std::vector<std::string>{"support"});
  EXPECT_EQ(tags("id:2"), std::vector<std::string>{"support"});
}

TEST_F(EngineRosterTest, P6ApprovalLetsExactlyThatPlanThrough) {
  const auto wanted = members(7, kMembers);
  box->roster(wanted);
  box->settle();
  const std::string id = box->reloads.at(0).id;
  // Another file meanwhile: the approval is not for it.
  box->roster(members(8, kMembers), id);
  box->settle();
  ASSERT_EQ(box->failed_reloads.size(), 1U);
  EXPECT_EQ(in_state(MemberState::kActive), static_cast<std::size_t>(kMembers));
  auto additions = members(1, kMembers + 1);
  box->plan(SortedRoster::of(Roster{additions, Fingerprint{0}}));
  for (int i = 0; i < 100 && box->plans.empty(); ++i) box->advance(Duration{0});
  ASSERT_EQ(box->plans.size(), 1U);
  EXPECT_NE(box->plans[0].id, "e3b0c44298fc1c14");
  box->roster(additions, box->plans[0].id);
  box->settle();
  ASSERT_EQ(box->failed_reloads.size(), 2U) << "a plan that retires nobody needs no approval";
  EXPECT_EQ(box->find("id:21"), nullptr);
  box->roster(wanted, "0123456789abcdef");
  box->settle();
  ASSERT_EQ(box->failed_reloads.size(), 3U);
  EXPECT_EQ(in_state(MemberState::kActive), static_cast<std::size_t>(kMembers));
  box->roster(wanted, id);
  box->settle();
  EXPECT_FALSE(box->reloads.at(1).held);
  EXPECT_EQ(in_state(MemberState::kRetiring), 6U);
  EXPECT_FALSE(box->engine.held_plan());
}

TEST_F(EngineRosterTest, P6RetiringMembersByAnotherOfTheirNamesIsGuardedToo) {
  box.reset();
  std::vector<MemberRecord> records;
  for (int i = 1; i <= kMembers; ++i) {
    records.push_back(member(i, MemberState::kActive, fmt::format("email:m{}@example.com", i)));
    records.back().community_member_id = i;
    records.back().community_id = 1;
  }
  box.emplace(snapshot_of(std::move(records)));
  box->start();
  std::vector<RosterEntry> wanted;
  for (int i = 1; i <= kMembers; ++i)
    wanted.push_back(entry(fmt::format("email:m{}@example.com", i)));
  for (int i = 1; i <= 6; ++i) wanted.push_back(entry(fmt::format("id:{}", i), true));
  box->roster(wanted);
  box->settle();
  EXPECT_TRUE(box->reloads.at(0).held);
  EXPECT_EQ(in_state(MemberState::kActive), static_cast<std::size_t>(kMembers));
  box->roster(wanted, box->reloads.at(0).id);
  box->settle();
  EXPECT_EQ(in_state(MemberState::kActive), static_cast<std::size_t>(kMembers) - 6);
  EXPECT_EQ(box->slot("email:m1@example.com").record.selectors.size(), 2U);
}

TEST_F(EngineRosterTest, P6AMemberThatComesBackIsActiveAgain) {
  box->roster(members(2, kMembers));
  box->settle();
  EXPECT_EQ(box->slot("id:1").record.state, MemberState::kRetiring);
  box->roster(members(1, kMembers));
  box->settle();
  EXPECT_EQ(box->slot("id:1").record.state, MemberState::kActive);
  box->reply_last(CallKind::kRevokeRefresh, Revoked{});
  EXPECT_EQ(box->served("id:1"), "");
}

TEST_F(EngineRosterTest, P6ARetiredEntryThatNobodyKnewIsNeverCalledFor) {
  auto wanted = members(1, kMembers);
  wanted.push_back(entry("id:99", true));
  box->roster(wanted);
  box->settle();
  EXPECT_EQ(box->slot("id:99").record.state, MemberState::kRetired);
  EXPECT_THAT(box->calls, IsEmpty());
  EXPECT_EQ(box->table.find("id:99")->state, MemberState::kRetired);
}

RosterEntry tagged(std::string_view key, std::vector<std::string> tags) {
  RosterEntry e = entry(key);
  e.tags = std::move(tags);
  return e;
}

TEST(EngineRoster, P11ATagOfAnEntryThatLeftDoesNotGrantWhileAnotherEntryStays) {
  EngineBox box = box_with_grace();
  box.roster({tagged(kGraceKey, {"support"})});
  box.settle();
  ASSERT_EQ(box.table.find("id:42")->tags, std::vector<std::string>{"support"});
  box.roster({entry("id:42")});
  box.settle();
  EXPECT_THAT(box.table.find("id:42")->tags, IsEmpty());
  EXPECT_EQ(box.served("id:42"), "access-1");
  EngineBox again = box.restarted(1min);
  again.start();
  again.settle();
  EXPECT_THAT(again.table.find("id:42")->tags, IsEmpty()) << "after a restart too";
  again.roster({entry("id:7")});
  again.settle();
  EXPECT_THAT(again.table.find("id:42")->tags, IsEmpty()) << "nor when the last entry leaves";
}

TEST(EngineRoster, P11EntriesThatLeaveAtOnceKeepTheirTagsForTheAnswer410) {
  EngineBox box = box_with_grace();
  box.roster({tagged(kGraceKey, {"support"}), tagged("id:42", {"web"})});
  box.settle();
  box.roster({entry("id:7")});
  box.settle();
  EXPECT_EQ(box.table.find(kGraceKey)->tags, (std::vector<std::string>{"support", "web"}));
}

// As an older version left it on disk.
TEST(EngineRoster, P11AStartForgetsATagThatWasLeftBehind) {
  MemberRecord record = member_with_pair();
  record.selectors.front().in_roster = false;
  record.selectors.front().tags = {"support"};
  record.selectors.push_back(selector("id:42"));
  EngineBox box(snapshot_of({record}));
  box.start();
  box.settle();
  EXPECT_THAT(box.table.find("id:42")->tags, IsEmpty());
  box.roster({entry("id:7")});
  box.settle();
  EXPECT_THAT(box.table.find("id:42")->tags, IsEmpty());
}

// What a start goes by when it serves before it has parsed the roster.
TEST(EngineRoster, P6RemembersTheRosterThatIsInForceAsItStands) {
  EngineBox box;
  box.start();
  std::vector<RosterEntry> all;
  for (int id = 1; id <= 10; ++id) all.push_back(entry(fmt::format("id:{}", id)));
  box.roster(all, "", 71);
  EXPECT_EQ(box.durable.snapshot().meta.roster, 0U) << "it is not durable yet";
  box.settle();
  EXPECT_EQ(box.restarted(1s).engine.roster_on_record(), 71U);

  box.roster({entry("id:1")}, "", 72);
  box.settle();
  ASSERT_TRUE(box.reloads.back().held);
  EXPECT_EQ(box.restarted(1s).engine.roster_on_record(), 0U) << "a part of it is not in force";
  const std::string id = box.reloads.back().id;
  box.roster({entry("id:1")}, id, 72);
  box.settle();
  EXPECT_EQ(box.restarted(1s).engine.roster_on_record(), 72U);
}

}  // namespace
}  // namespace rota::test
