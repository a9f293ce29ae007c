#include "plan/lifecycle.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using enum MemberState;
using test::selector;

constexpr std::array kStates{kActive, kRetiring, kRetired, kBlocked, kUnknown, kMismatched};

struct Row {
  const char* name;
  LifecycleEvent event;
  bool wanted;
  std::array<MemberState, 6> after;  // in the order of kStates
};

// The table of lifecycle.h, written out.
constexpr std::array<Row, 10> kTable{{
    {"wanted",
     LifecycleEvent::kWanted,
     true,
     {kActive, kActive, kActive, kBlocked, kUnknown, kMismatched}},
    {"dropped",
     LifecycleEvent::kDropped,
     false,
     {kRetiring, kRetiring, kRetired, kBlocked, kRetiring, kRetiring}},
    {"operator revokes",
     LifecycleEvent::kOperatorRevokes,
     true,
     {kBlocked, kBlocked, kBlocked, kBlocked, kBlocked, kBlocked}},
    {"reinstates, wanted",
     LifecycleEvent::kOperatorReinstates,
     true,
     {kActive, kRetiring, kRetired, kActive, kActive, kActive}},
    {"reinstates, not wanted",
     LifecycleEvent::kOperatorReinstates,
     false,
     {kActive, kRetiring, kRetired, kRetiring, kActive, kRetiring}},
    {"nothing alive",
     LifecycleEvent::kNothingAlive,
     true,
     {kActive, kRetired, kRetired, kBlocked, kUnknown, kMismatched}},
    {"Circle knows none",
     LifecycleEvent::kCircleKnowsNone,
     true,
     {kUnknown, kRetiring, kRetired, kBlocked, kUnknown, kMismatched}},
    {"Circle issued",
     LifecycleEvent::kCircleIssued,
     true,
     {kActive, kRetiring, kRetired, kBlocked, kActive, kMismatched}},
    {"other identity",
     LifecycleEvent::kOtherIdentity,
     true,
     {kMismatched, kRetiring, kRetired, kBlocked, kMismatched, kMismatched}},
    {"dropped though wanted",
     LifecycleEvent::kDropped,
     true,
     {kRetiring, kRetiring, kRetired, kBlocked, kRetiring, kRetiring}},
}};

TEST(Lifecycle, P4EveryEventInEveryState) {
  for (const Row& row : kTable) {
    for (std::size_t i = 0; i < kStates.size(); ++i) {
      EXPECT_EQ(next_state(kStates[i], row.event, row.wanted), row.after[i])
          << row.name << " in " << name_of(kStates[i]);
    }
  }
}

TEST(Lifecycle, P4NothingButAnOperatorLeadsOutOfBlocked) {
  for (const Row& row : kTable) {
    if (row.event == LifecycleEvent::kOperatorReinstates) continue;
    EXPECT_EQ(next_state(kBlocked, row.event, row.wanted), kBlocked) << row.name;
  }
}

TEST(Lifecycle, AnOperatorReinstatesWhoeverIsOutForAnotherReasonThanTheRoster) {
  for (const MemberState state : {kBlocked, kUnknown, kMismatched}) {
    EXPECT_TRUE(can_be_reinstated(state)) << name_of(state);
  }
  for (const MemberState state : {kActive, kRetiring, kRetired}) {
    EXPECT_FALSE(can_be_reinstated(state)) << name_of(state);
  }
}

TEST(Lifecycle, P4AnyRetiredEntryWinsAndTheLastRemovalCounts) {
  struct Case {
    std::vector<Selector> selectors;
    bool named, wanted;
  };
  for (const auto& [selectors, named, wanted] : {
           Case{{selector("id:1")}, true, true},
           Case{{selector("id:1", false)}, false, false},
           Case{{selector("id:1", true, true)}, true, false},
           Case{{selector("id:1"), selector("email:a@b", true, true)}, true, false},
           Case{{selector("id:1"), selector("email:a@b", false)}, true, true},
           Case{{selector("id:1"), selector("email:a@b", false, true)}, true, true},
           Case{{selector("id:1", false), selector("email:a@b", false)}, false, false},
       }) {
    MemberRecord record = test::member(1, kActive, "id:1");
    record.selectors = selectors;
    EXPECT_EQ(named_by_roster(record), named);
    EXPECT_EQ(is_wanted(record), wanted);
  }
}

TEST(Lifecycle, P4TagsAreJoinedAndThePrimaryKeyIsOneInForce) {
  MemberRecord record = test::member(1, kActive, "id:1");
  record.selectors = {selector("id:1", false), selector("email:a@b"), selector("sso:x")};
  record.selectors[0].tags = {"old", "support"};
  record.selectors[1].tags = {"support", "beta"};
  record.selectors[2].tags = {"beta", "web"};
  EXPECT_EQ(tags_of(record), (std::vector<std::string>{"beta", "support", "web"}));
  EXPECT_EQ(primary_key(record).text(), "email:a@b");
  for (Selector& s : record.selectors) s.in_roster = false;
  EXPECT_EQ(tags_of(record), (std::vector<std::string>{"beta", "old", "support", "web"}));
  EXPECT_EQ(primary_key(record).text(), "id:1");
}

TEST(Lifecycle, P11TagsOfAnEntryThatLeftAreForgottenWhileAnotherStays) {
  MemberRecord record = test::member(1, kActive, "id:1");
  record.selectors = {selector("id:1", false), selector("email:a@b")};
  record.selectors[0].tags = {"support"};
  record.selectors[1].tags = {"beta"};
  EXPECT_TRUE(forget_stale_tags(record));
  EXPECT_FALSE(forget_stale_tags(record)) << "once";
  record.selectors[1].in_roster = false;
  EXPECT_FALSE(forget_stale_tags(record)) << "the last entry keeps its tags";
  EXPECT_EQ(tags_of(record), (std::vector<std::string>{"beta"}));
}

}  // namespace
}  // namespace rota
