#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/engine/engine_box.h"

// Addresses that differ in case only are one member's.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kOther = "email:Grace@Example.com";

TEST(EngineSpelling, AnotherCaseInTheRosterRetiresNobody) {
  EngineBox box = box_with_grace();
  box.roster({entry(kOther)});
  box.settle();
  EXPECT_THAT(box.reloads.back().retire, IsEmpty());
  EXPECT_THAT(box.reloads.back().add, IsEmpty());
  EXPECT_EQ(box.engine.members().size(), 1U);
  EXPECT_THAT(box.open_calls(), IsEmpty());
  for (const std::string_view key : {kGraceKey, kOther, std::string_view("id:42")}) {
    EXPECT_EQ(box.served(key), "access-1") << key;
  }
  EXPECT_EQ(box.slot(kGraceKey).record.selectors.at(0).key.text(), kOther);
  EXPECT_EQ(box.table.find(kGraceKey)->keys.at(0).text(), kOther) << "the roster's spelling shows";
  EngineBox again = box.restarted(1min);
  again.start();
  EXPECT_EQ(again.served(kGraceKey), "access-1");
  EXPECT_EQ(again.slot(kGraceKey).record.selectors.at(0).key.text(), kOther);
  box.roster({entry("id:7")});
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kRetiring);
}

TEST(EngineSpelling, CircleIsSentTheRostersOwn) {
  EngineBox box;
  box.start();
  box.roster({entry(kOther)});
  box.settle();
  EXPECT_EQ(box.newest_call().request.member.text(), kOther);
}

TEST(EngineSpelling, AnOperatorMayWriteItAnyWay) {
  EngineBox box = box_with_grace();
  box.operate("email:GRACE@example.COM", OperatorAction::kRevoke);
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kBlocked);
  box.operate(kOther, OperatorAction::kReinstate);
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kActive);
}

// What a database of before can hold: the roster changed the case, and that made another member.
Snapshot two_records(MemberState old_state, bool old_has_id = true) {
  MemberRecord old = member(1, old_state, kOther, {});
  old.selectors.at(0).in_roster = false;
  if (old_has_id) old.community_member_id = 42;
  if (old_has_id) old.community_id = 1;
  MemberRecord now_named = member(2, MemberState::kActive, kGraceKey, {});
  return snapshot_of({old, now_named});
}

TEST(EngineSpelling, P4TwoRecordsOfOneAddressBecomeOneAtTheStart) {
  for (const bool reversed : {false, true}) {
    Snapshot snapshot = two_records(MemberState::kRetiring);
    snapshot.members.at(0).tokens = {refresh_token(1, "r1", TokenStatus::kRevoking)};
    if (reversed) std::swap(snapshot.members.at(0), snapshot.members.at(1));
    EngineBox box(std::move(snapshot));
    box.start();
    box.settle();
    EXPECT_EQ(box.engine.members().size(), 1U);
    const MemberRecord& record = box.slot(kGraceKey).record;
    EXPECT_EQ(record.state, MemberState::kActive);
    ASSERT_THAT(record.selectors, SizeIs(1));
    EXPECT_EQ(record.selectors.at(0).key.text(), kGraceKey) << "the one of the roster in force";
    EXPECT_THAT(record.tokens, SizeIs(1)) << "what is to be revoked stays on the ledger";
    EngineBox again = box.restarted(1min);
    again.start();
    EXPECT_EQ(again.engine.members().size(), 1U) << "and that is durable";
  }
}

MemberRecord old_record(std::int64_t id, std::string_view key) {
  MemberRecord record = member(id, MemberState::kRetired, key, {});
  record.selectors.at(0).in_roster = false;
  return record;
}

// In whatever order they come, and whichever of them Circle's id is known of.
TEST(EngineSpelling, P4ThreeRecordsOfOneAddressBecomeOneAtTheStart) {
  for (const std::int64_t known : {1, 2, 3}) {
    std::vector<std::int64_t> order{1, 2, 3};
    do {
      SCOPED_TRACE(fmt::format("{} is known; {}", known, fmt::join(order, ", ")));
      Snapshot snapshot =
          snapshot_of({old_record(1, kOther), old_record(2, "email:GRACE@example.com"),
                       member(3, MemberState::kActive, kGraceKey, {})});
      MemberRecord& pinned = snapshot.members.at(static_cast<std::size_t>(known - 1));
      pinned.community_member_id = 42;
      pinned.community_id = 1;
      const std::vector<MemberRecord> records = snapshot.members;
      for (std::size_t i = 0; i < order.size(); ++i) {
        snapshot.members.at(i) = records.at(static_cast<std::size_t>(order.at(i) - 1));
      }
      EngineBox box(std::move(snapshot));
      box.start();
      box.settle();
      EXPECT_EQ(box.engine.members().size(), 1U);
      EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kActive);
      EXPECT_EQ(box.slot(kGraceKey).record.community_member_id, 42);
    } while (std::ranges::next_permutation(order).found);
  }
}

// The one in the middle has a key in common with each of the others.
TEST(EngineSpelling, P4ThreeRecordsThatShareTwoKeysBecomeOneAtTheStart) {
  MemberRecord first = old_record(1, kOther);
  first.community_member_id = 42;
  first.community_id = 1;
  MemberRecord middle = old_record(2, kGraceKey);
  middle.selectors.push_back(selector("email:Other@example.com"));
  EngineBox box(
      snapshot_of({first, middle, member(3, MemberState::kActive, "email:other@example.com", {})}));
  box.start();
  box.settle();
  EXPECT_EQ(box.engine.members().size(), 1U);
  EXPECT_EQ(box.slot("email:other@example.com").record.community_member_id, 42);
}

// One that Circle told apart stays by itself; the other two are one.
TEST(EngineSpelling, P13OneThatIsMismatchedKeepsTheOthersNotApart) {
  Snapshot snapshot =
      snapshot_of({member(1, MemberState::kMismatched, kGraceKey, {}), old_record(2, kOther),
                   old_record(3, "email:GRACE@example.com")});
  EngineBox box(std::move(snapshot));
  box.start();
  box.settle();
  EXPECT_EQ(box.engine.members().size(), 2U);
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kMismatched);
}

TEST(EngineSpelling, ABlockHoldsUnderEverySpelling) {
  EngineBox box(two_records(MemberState::kBlocked));
  box.start();
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kBlocked);
  EXPECT_EQ(box.table.find(kGraceKey)->state, MemberState::kBlocked);
}

TEST(EngineSpelling, P13TwoRecordsThatCircleToldApartStayTwo) {
  Snapshot snapshot = two_records(MemberState::kRetired);
  snapshot.members.at(1).community_member_id = 43;
  snapshot.members.at(1).community_id = 1;
  EngineBox box(std::move(snapshot));
  box.start();
  box.settle();
  EXPECT_EQ(box.engine.members().size(), 2U);
  EXPECT_EQ(box.slot(kGraceKey).record.id, MemberId{2}) << "whom the roster names has the name";
  EXPECT_EQ(box.table.find(kOther)->member, MemberId{2});
}

TEST(EngineSpelling, TwoSpellingsOfOneRecordBecomeOne) {
  MemberRecord record = member(1, MemberState::kActive, kOther, {access_token(1, "a1")});
  record.selectors.at(0).in_roster = false;
  record.selectors.push_back(selector(kGraceKey));
  record.community_member_id = 42;
  record.community_id = 1;
  EngineBox box(snapshot_of({record}));
  box.start();
  box.settle();
  EXPECT_EQ(box.served(kOther), "a1");
  box.roster({entry(kGraceKey)});
  box.settle();
  EXPECT_THAT(box.reloads.back().retire, IsEmpty());
  EXPECT_THAT(box.reloads.back().change, IsEmpty());
  box.roster({entry("id:7")});
  box.settle();
  EXPECT_EQ(box.slot(kOther).record.state, MemberState::kRetiring);
}

}  // namespace
}  // namespace rota::test
