#include "engine/members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr Duration kActiveWithin = 24h;

MemberKey key(std::string_view text) { return MemberKey::parse(text).value(); }

class MembersTest : public testing::Test {
 protected:
  MemberSlot& add(std::int64_t id, std::string_view name, bool in_roster = true,
                  std::optional<std::int64_t> circle_id = std::nullopt) {
    MemberRecord record = test::member(id, MemberState::kActive, name);
    record.selectors.front().in_roster = in_roster;
    record.community_member_id = circle_id;
    return members.add(std::move(record));
  }
  // The member that the key leads to; 0: none.
  std::int64_t found(std::string_view name) const {
    const MemberSlot* slot = members.find(key(name));
    return slot == nullptr ? 0 : static_cast<std::int64_t>(slot->record.id);
  }
  std::int64_t pinned(std::int64_t circle_id) {
    const MemberSlot* slot = members.find_pinned(circle_id);
    return slot == nullptr ? 0 : static_cast<std::int64_t>(slot->record.id);
  }
  void recount_all(WallTime circle = kT0) {
    for (auto& [id, slot] : members.all()) members.recount(slot, circle);
  }

  Members members{MemberId{100}, kActiveWithin};
};

// --- Who is there ---

TEST_F(MembersTest, EachIdIsGivenOutOnce) {
  EXPECT_EQ(members.next_id(), MemberId{100});
  EXPECT_EQ(members.next_id(), MemberId{101});
}

TEST_F(MembersTest, AMemberIsFoundByItsIdItsKeysAndCirclesId) {
  MemberRecord record = test::member(1, MemberState::kActive, "email:grace@example.com");
  record.selectors.push_back(test::selector("sso:grace"));
  record.community_member_id = 42;
  MemberSlot& slot = members.add(record);
  EXPECT_EQ(members.size(), 1U);
  EXPECT_EQ(&members.at(MemberId{1}), &slot);
  EXPECT_EQ(members.find(MemberId{1}), &slot);
  for (const auto* name : {"email:grace@example.com", "sso:grace", "id:42"}) {
    EXPECT_EQ(found(name), 1) << name;
  }
  EXPECT_EQ(members.find_pinned(42), &slot);
  EXPECT_TRUE(members.is_pinned_to(42, MemberId{1}));
  EXPECT_FALSE(members.is_pinned_to(42, MemberId{2}));
  EXPECT_FALSE(members.is_pinned_to(43, MemberId{1}));
}

TEST_F(MembersTest, WhoIsNotThereIsNotFound) {
  EXPECT_EQ(members.find(MemberId{1}), nullptr);
  EXPECT_EQ(found("sso:grace"), 0);
  EXPECT_EQ(members.find_pinned(42), nullptr);
  EXPECT_THROW(members.at(MemberId{1}), std::out_of_range);
}

TEST_F(MembersTest, ARemovedMemberLeavesNothingBehind) {
  MemberSlot& slot = add(1, "sso:grace", true, 42);
  recount_all();
  members.mark_failing(MemberId{1});
  members.want_use_recorded(MemberId{1});
  members.remove(slot);
  EXPECT_EQ(members.size(), 0U);
  EXPECT_EQ(members.find(MemberId{1}), nullptr);
  EXPECT_TRUE(members.by_key().empty());
  EXPECT_EQ(pinned(42), 0);
  EXPECT_EQ(members.census().in_state(MemberState::kActive), 0U);
  EXPECT_EQ(members.upkeep().kept() + members.upkeep().left_out(), 0U);
  EXPECT_THAT(members.failing(), IsEmpty());
  EXPECT_FALSE(members.has_unrecorded_uses());
}

TEST_F(MembersTest, ASlotStaysWhereItIsWhileOthersComeAndGo) {
  const MemberSlot* first = &add(1, "id:1");
  for (std::int64_t id = 2; id < 500; ++id) add(id, "id:" + std::to_string(id));
  for (std::int64_t id = 2; id < 500; ++id) members.remove(members.at(MemberId{id}));
  EXPECT_EQ(&members.at(MemberId{1}), first);
}

TEST_F(MembersTest, AddressesAreFoundWithoutRegardToCaseAndSsoIdsAreNot) {
  add(1, "email:Grace@Example.com");
  add(2, "sso:Grace");
  EXPECT_EQ(found("email:grace@example.com"), 1);
  EXPECT_EQ(found("sso:grace"), 0);
}

TEST_F(MembersTest, ASelectorIsFoundInTheSpellingOfTheRoster) {
  add(1, "email:Grace@Example.com");
  const Selector* own = members.selector_of(MemberId{1}, key("email:grace@example.com"));
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(own->key.value, "Grace@Example.com");
  EXPECT_EQ(members.selector_of(MemberId{1}, key("sso:grace")), nullptr);
  EXPECT_EQ(members.selector_of(MemberId{2}, key("email:grace@example.com")), nullptr);
}

TEST_F(MembersTest, ListsGoByTheKeysTextAPersonsWay) {
  add(1, "sso:grace");
  add(2, "id:10");
  add(3, "email:grace@example.com");
  add(4, "id:2");
  std::vector<std::string> order;
  for (const auto& [name, member] : members.by_key()) order.push_back(name->text());
  EXPECT_THAT(order, ElementsAre("email:grace@example.com", "id:2", "id:10", "sso:grace"));
}

TEST_F(MembersTest, ARecordThatChangesIsIndexedAnew) {
  MemberSlot& slot = add(1, "sso:grace", true, 42);
  members.unindex(slot);
  slot.record.selectors = {test::selector("sso:ada")};
  slot.record.community_member_id = 43;
  members.index(slot);
  members.index(slot);  // a second time changes nothing
  EXPECT_EQ(found("sso:grace"), 0);
  EXPECT_EQ(found("id:42"), 0);
  EXPECT_EQ(pinned(42), 0);
  EXPECT_EQ(found("sso:ada"), 1);
  EXPECT_EQ(found("id:43"), 1);
  EXPECT_EQ(pinned(43), 1);
  EXPECT_THAT(members.take_namesakes(), IsEmpty());
}

// --- Keys and pins that several share ---

TEST_F(MembersTest, AnIdThatTheRosterNamesLeadsThereAndNotToThePin) {
  add(1, "id:42");
  add(2, "sso:grace", true, 42);
  EXPECT_EQ(found("id:42"), 1) << "until Circle says that both are one";
  EXPECT_EQ(pinned(42), 2);
  members.remove(members.at(MemberId{2}));
  EXPECT_EQ(found("id:42"), 1);
  add(3, "sso:ada", true, 42);
  members.remove(members.at(MemberId{1}));
  EXPECT_EQ(found("id:42"), 3) << "only the pin is left";
}

TEST_F(MembersTest, ANewNameLeavesTheOthersFound) {
  MemberSlot& slot = add(1, "email:grace@example.com");
  add(2, "email:ada@example.com");
  members.unindex(slot);
  for (int i = 0; i < 20; ++i) {  // they move in memory
    slot.record.selectors.push_back(test::selector("sso:grace" + std::to_string(i)));
  }
  members.index(slot);
  for (const auto* name : {"email:grace@example.com", "sso:grace0", "sso:grace19"}) {
    EXPECT_EQ(found(name), 1) << name;
  }
  EXPECT_EQ(found("email:ada@example.com"), 2);
}

TEST_F(MembersTest, P13AnIdThatSeveralArePinnedToLeadsToTheLowestRecord) {
  add(2, "sso:grace", true, 42);
  EXPECT_EQ(pinned(42), 2);
  add(1, "email:grace@example.com", true, 42);
  add(3, "sso:ada", true, 42);
  EXPECT_EQ(pinned(42), 1);
  members.remove(members.at(MemberId{1}));
  EXPECT_EQ(pinned(42), 2);
}

TEST_F(MembersTest, ASharedKeyLeadsToTheRecordThatTheRosterNamesByIt) {
  const MemberSlot& first = add(1, "email:grace@example.com", false);
  EXPECT_TRUE(members.leads_to(key("email:grace@example.com"), first));
  const MemberSlot& second = add(2, "email:Grace@example.com", true);
  const MemberSlot& third = add(3, "email:GRACE@example.com", false);
  EXPECT_EQ(found("email:grace@example.com"), 2);
  EXPECT_FALSE(members.leads_to(key("email:grace@example.com"), first));
  EXPECT_TRUE(members.leads_to(key("email:grace@example.com"), second));
  EXPECT_FALSE(members.leads_to(key("email:grace@example.com"), third));
}

TEST_F(MembersTest, AfterOneOfTwoThatShareAKeyLeftTheOtherIsIndexedAnew) {
  MemberSlot& first = add(1, "email:grace@example.com");
  add(2, "email:Grace@example.com", false);
  members.remove(first);
  EXPECT_EQ(found("email:grace@example.com"), 0);
  members.index(members.at(MemberId{2}));
  EXPECT_EQ(found("email:grace@example.com"), 2);
}

TEST_F(MembersTest, LoadedRecordsThatShareAKeyAreHandedOutInPairs) {
  add(1, "email:grace@example.com");
  add(2, "sso:grace");
  add(3, "email:Grace@example.com");
  EXPECT_THAT(members.take_namesakes(), ElementsAre(Pair(MemberId{1}, MemberId{3})));
}

// --- Their use ---

TEST_F(MembersTest, AMemberIsInUseForAWhileAfterItsLastUse) {
  MemberSlot& slot = add(1, "sso:grace");
  slot.record.last_used = kT0;
  EXPECT_TRUE(members.in_use(slot, kT0 + kActiveWithin - 1ms));
  EXPECT_FALSE(members.in_use(slot, kT0 + kActiveWithin));
}

TEST_F(MembersTest, AUseAfterALongWhileIsToldFromOneMoreUse) {
  MemberSlot& slot = add(1, "sso:grace");
  EXPECT_EQ(members.note_use(slot, kT0), Members::Use::kCameIntoUse);
  EXPECT_EQ(members.note_use(slot, kT0 + 1min - 1ms), Members::Use::kNothingNew);
  EXPECT_EQ(slot.record.last_used, kT0);
  EXPECT_EQ(members.note_use(slot, kT0 + 1min), Members::Use::kUsedAgain);
  EXPECT_EQ(slot.record.last_used, kT0 + 1min);
  EXPECT_EQ(slot.in_use_since, kT0);
  const WallTime later = kT0 + 1min + kActiveWithin;
  EXPECT_EQ(members.note_use(slot, later), Members::Use::kCameIntoUse);
  EXPECT_EQ(slot.in_use_since, later);
}

TEST_F(MembersTest, TheShorterMembersCountAsInUseTheSoonerAUseIsNewsAgain) {
  Members brief{MemberId{1}, 10min};
  MemberSlot& slot = brief.add(test::member(1, MemberState::kActive, "sso:grace"));
  brief.note_use(slot, kT0);
  EXPECT_EQ(brief.note_use(slot, kT0 + 10s - 1ms), Members::Use::kNothingNew);
  EXPECT_EQ(brief.note_use(slot, kT0 + 10s), Members::Use::kUsedAgain);
}

TEST_F(MembersTest, AUseIsPutOnRecordOnceTheOneThereIsTooOld) {
  MemberSlot& slot = add(1, "sso:grace");
  slot.use_on_record = kT0;
  slot.record.last_used = kT0 + 1h - 1ms;
  EXPECT_FALSE(members.use_wants_record(slot));
  slot.record.last_used = kT0 + 1h;
  EXPECT_TRUE(members.use_wants_record(slot));
}

TEST_F(MembersTest, WhereTheBudgetIsShortThoseUsedLastAreKeptFresh) {
  members.set_capacity(1);
  MemberSlot& first = add(1, "sso:grace");
  MemberSlot& second = add(2, "sso:ada");
  EXPECT_FALSE(members.keeps(first)) << "not counted yet";
  recount_all();
  EXPECT_TRUE(members.keeps(first));
  EXPECT_FALSE(members.keeps(second));
  members.take_moved();

  second.record.last_used = kT0;
  members.recount(second, kT0);
  EXPECT_FALSE(members.keeps(first));
  EXPECT_TRUE(members.keeps(second));
  EXPECT_THAT(members.take_moved(), UnorderedElementsAre(MemberId{1}, MemberId{2}));
  EXPECT_THAT(members.take_moved(), IsEmpty());

  second.record.state = MemberState::kRetiring;
  members.recount(second, kT0);
  EXPECT_FALSE(members.keeps(second)) << "it is out";
  EXPECT_TRUE(members.keeps(first));
}

TEST_F(MembersTest, AMemberIsCountedByItsStateAndTheTokensToBeRevoked) {
  MemberSlot& slot = members.add(test::member_with_pair());
  slot.record.tokens.back().status = TokenStatus::kRevoking;
  recount_all();
  EXPECT_EQ(members.census().in_state(MemberState::kActive), 1U);
  EXPECT_EQ(members.census().revoking(), 1U);
  slot.record.state = MemberState::kBlocked;
  recount_all();
  EXPECT_EQ(members.census().in_state(MemberState::kActive), 0U);
  EXPECT_EQ(members.census().in_state(MemberState::kBlocked), 1U);
  EXPECT_EQ(members.census().fresh(kT0), 0U) << "its token is not served";
}

TEST_F(MembersTest, AMemberIsFreshUntilASecondBeforeItsTokensEnd) {
  members.add(test::member_with_pair());
  recount_all();
  EXPECT_EQ(members.census().fresh(kT0 + 1h - 1s - 1ms), 1U);
  EXPECT_EQ(members.census().fresh(kT0 + 1h - 1s), 0U);
}

TEST_F(MembersTest, AMemberThatNobodyAsksForIsOverdueFiveSecondsAfterItsTokensEnd) {
  members.set_capacity(1);
  members.add(test::member_with_pair());
  recount_all();
  EXPECT_EQ(members.census().overdue_idle(kT0 + 1h + 5s), 0U);
  EXPECT_EQ(members.census().overdue_idle(kT0 + 1h + 5s + 1ms), 1U);
}

TEST_F(MembersTest, WithoutAFirstTokenAMemberThatNobodyAsksForIsOverdueAfterFiveMinutes) {
  members.set_capacity(1);
  add(1, "sso:grace");
  recount_all();
  EXPECT_EQ(members.census().overdue_first(kT0 + kFirstIssueMax), 0U);
  EXPECT_EQ(members.census().overdue_first(kT0 + kFirstIssueMax + 1ms), 1U);
}

TEST_F(MembersTest, WithoutATokenAMemberIsOverdueTenSecondsAfterAClientAskedForIt) {
  members.set_capacity(1);
  MemberSlot& slot = add(1, "sso:grace");
  members.note_use(slot, kT0 + 1min);
  members.recount(slot, kT0 + 1min);
  EXPECT_EQ(members.census().overdue_in_use(kT0 + 1min + 10s), 0U);
  EXPECT_EQ(members.census().overdue_in_use(kT0 + 1min + 10s + 1ms), 1U);
}

TEST_F(MembersTest, AMemberInUseIsOverdueFiveSecondsAfterItsTokensEnd) {
  members.set_capacity(1);
  MemberSlot& slot = members.add(test::member_with_pair());
  members.note_use(slot, kT0);
  members.recount(slot, kT0);
  EXPECT_EQ(members.census().overdue_in_use(kT0 + 1h + 5s), 0U);
  EXPECT_EQ(members.census().overdue_in_use(kT0 + 1h + 5s + 1ms), 1U);
}

// --- Those with a backoff, and uses to be put on record ---

TEST_F(MembersTest, ThoseWithABackoffAndThoseWithAUseToRecordAreTakenOnce) {
  members.mark_failing(MemberId{1});
  members.mark_failing(MemberId{1});
  members.want_use_recorded(MemberId{2});
  EXPECT_THAT(members.failing(), ElementsAre(MemberId{1}));
  EXPECT_THAT(members.take_failing(), ElementsAre(MemberId{1}));
  EXPECT_THAT(members.take_failing(), IsEmpty());
  EXPECT_TRUE(members.has_unrecorded_uses());
  EXPECT_THAT(members.take_unrecorded_uses(), ElementsAre(MemberId{2}));
  EXPECT_FALSE(members.has_unrecorded_uses());
}

// There are as many as members: docs/PERFORMANCE.md says what each part takes.
TEST(MemberSlotTest, IsNoLargerThanItWas) { EXPECT_LE(sizeof(MemberSlot), 520U); }

}  // namespace
}  // namespace rota
