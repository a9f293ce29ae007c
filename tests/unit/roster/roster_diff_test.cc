#include "support/roster_diff.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <set>

namespace rota::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

MemberKey key(std::string_view text) { return MemberKey::parse(text).value(); }

RosterEntry active(std::string_view text, std::string name = {},
                   std::vector<std::string> tags = {}) {
  return {.key = key(text), .name = std::move(name), .tags = std::move(tags), .retired = false};
}

RosterEntry retired(std::string_view text, std::string name = {}) {
  return {.key = key(text), .name = std::move(name), .tags = {}, .retired = true};
}

// Every step that one key can make, and the one list that it leads to.
TEST(Diff, SortsEveryStepOfOneKeyIntoItsList) {
  enum class List { kNone, kAdd, kChange, kRetire, kDrop };
  struct Row {
    std::string_view what;
    std::optional<RosterEntry> before;
    std::optional<RosterEntry> after;
    List list;
  };
  const std::array rows{
      Row{"stays", active("id:1"), active("id:1"), List::kNone},
      Row{"stays retired", retired("id:1"), retired("id:1"), List::kNone},
      Row{"comes", {}, active("id:1"), List::kAdd},
      Row{"is wanted again", retired("id:1"), active("id:1"), List::kAdd},
      Row{"is wanted again under another name", retired("id:1"), active("id:1", "A"), List::kAdd},
      Row{"gets a name", active("id:1"), active("id:1", "A"), List::kChange},
      Row{"gets a tag", active("id:1"), active("id:1", "", {"t"}), List::kChange},
      Row{"loses a tag", active("id:1", "", {"s", "t"}), active("id:1", "", {"t"}), List::kChange},
      Row{"is renamed while retired", retired("id:1"), retired("id:1", "A"), List::kChange},
      Row{"comes as retired", {}, retired("id:1"), List::kChange},
      Row{"goes", active("id:1"), {}, List::kRetire},
      Row{"is retired", active("id:1"), retired("id:1"), List::kRetire},
      Row{"is retired and renamed", active("id:1"), retired("id:1", "A"), List::kRetire},
      Row{"goes after its retirement", retired("id:1"), {}, List::kDrop},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    // Two that stay keep the rosters from being empty, on either side of the key.
    Roster before{{active("email:a@b"), active("sso:z")}};
    Roster after = before;
    if (row.before) before.entries.push_back(*row.before);
    if (row.after) after.entries.insert(after.entries.begin(), *row.after);
    const RosterDiff diff = diff_rosters(before, after);
    EXPECT_EQ(diff.add.size(), row.list == List::kAdd ? 1U : 0U);
    EXPECT_EQ(diff.change.size(), row.list == List::kChange ? 1U : 0U);
    EXPECT_EQ(diff.retire.size(), row.list == List::kRetire ? 1U : 0U);
    EXPECT_EQ(diff.drop.size(), row.list == List::kDrop ? 1U : 0U);
    EXPECT_EQ(diff.empty(), row.list == List::kNone);
    if (!diff.add.empty()) EXPECT_EQ(diff.add[0], *row.after);
    if (!diff.change.empty()) EXPECT_EQ(diff.change[0], *row.after);
    if (!diff.retire.empty()) EXPECT_EQ(diff.retire[0], key("id:1"));
    if (!diff.drop.empty()) EXPECT_EQ(diff.drop[0], key("id:1"));
  }
}

TEST(Diff, AgainstNothingIsAllNew) {
  const Roster wanted{{active("id:2"), active("id:1"), retired("id:3")}};
  const RosterDiff diff = diff_rosters({}, wanted);
  EXPECT_THAT(diff.add, ElementsAre(active("id:1"), active("id:2")));
  EXPECT_THAT(diff.change, ElementsAre(retired("id:3")));
  EXPECT_THAT(diff.retire, IsEmpty());
  EXPECT_THAT(diff_rosters(wanted, {}).retire, ElementsAre(key("id:1"), key("id:2")));
  EXPECT_THAT(diff_rosters(wanted, {}).drop, ElementsAre(key("id:3")));
}

TEST(Diff, DoesNotDependOnTheOrderOfEntries) {
  Roster before{{active("id:1"), active("id:2"), retired("id:3"), retired("id:4"), active("id:5"),
                 active("id:6")}};
  Roster after{{active("id:1", "A"), active("id:3"), retired("id:5"), active("id:7"),
                active("id:8"), retired("id:9")}};
  const RosterDiff first = diff_rosters(before, after);
  EXPECT_THAT(first.add, ElementsAre(active("id:3"), active("id:7"), active("id:8")));
  EXPECT_THAT(first.change, ElementsAre(active("id:1", "A"), retired("id:9")));
  EXPECT_THAT(first.retire, ElementsAre(key("id:2"), key("id:5"), key("id:6")));
  EXPECT_THAT(first.drop, ElementsAre(key("id:4")));
  std::ranges::reverse(before.entries);
  std::ranges::reverse(after.entries);
  const RosterDiff second = diff_rosters(before, after);
  EXPECT_EQ(first.add, second.add);
  EXPECT_EQ(first.change, second.change);
  EXPECT_EQ(first.retire, second.retire);
  EXPECT_EQ(first.drop, second.drop);
}

// The new spelling is what Circle is sent from then on; nobody comes or goes.
TEST(Diff, TakesAnAddressInAnotherCaseForTheSameMember) {
  const RosterDiff diff = diff_rosters({{active("email:Ada@b"), active("email:B@c")}},
                                       {{active("email:b@C"), active("email:ada@b")}});
  EXPECT_THAT(diff.add, IsEmpty());
  EXPECT_THAT(diff.retire, IsEmpty());
  EXPECT_THAT(diff.drop, IsEmpty());
  ASSERT_EQ(diff.change.size(), 2U);
  EXPECT_EQ(diff.change[0].key.text(), "email:ada@b");
  EXPECT_EQ(diff.change[1].key.text(), "email:b@C");
  const RosterDiff retires = diff_rosters({{active("email:Ada@b")}}, {{retired("email:ada@b")}});
  EXPECT_THAT(retires.retire, ElementsAre(key("email:ada@b")));
  EXPECT_THAT(retires.change, IsEmpty());
  // An SSO id has a case.
  const RosterDiff others = diff_rosters({{active("sso:A")}}, {{active("sso:a")}});
  EXPECT_THAT(others.retire, ElementsAre(key("sso:A")));
}

TEST(PlanId, NamesTheSetOfRetirements) {
  const auto id = [](std::vector<std::string_view> keys) {
    RosterDiff diff;
    for (const auto text : keys) diff.retire.push_back(key(text));
    return plan_id(diff);
  };
  const std::string one = id({"id:1", "id:2"});
  EXPECT_EQ(one.size(), 16U);
  EXPECT_EQ(one.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(one, id({"id:2", "id:1"}));
  EXPECT_NE(one, id({"id:1"}));
  EXPECT_NE(one, id({"id:12"}));
  EXPECT_NE(one, id({"id:1", "id:2", "id:3"}));
  EXPECT_NE(id({"sso:a", "sso:b"}), id({"sso:asso:b"}));
  EXPECT_NE(id({"sso:1"}), id({"id:1"}));
  EXPECT_EQ(id({}), plan_id(RosterDiff{}));
}

TEST(PlanId, OfPlansThatRetireNobodyTellsThemApart) {
  const auto id = [](std::vector<RosterEntry> add, std::vector<RosterEntry> change) {
    RosterDiff diff;
    diff.add = std::move(add);
    diff.change = std::move(change);
    return plan_id(diff);
  };
  RosterEntry tagged = active("id:1");
  tagged.tags = {"a", "b"};
  RosterEntry other = tagged;
  other.tags = {"a,1:b"};
  std::set<std::string> ids{id({}, {}),
                            id({active("id:1")}, {}),
                            id({}, {active("id:1")}),
                            id({}, {retired("id:1")}),
                            id({active("id:1", "Ada")}, {}),
                            id({active("id:1"), active("id:2")}, {}),
                            id({active("id:1")}, {active("id:2")}),
                            id({}, {tagged}),
                            id({}, {other})};
  EXPECT_EQ(ids.size(), 9U);
  RosterDiff retires;
  retires.retire = {key("id:1")};
  EXPECT_FALSE(ids.contains(plan_id(retires))) << "P6: an approval of one is not for the other";
}

TEST(PlanId, DoesNotDependOnWhatIsNoRetirement) {
  RosterDiff diff;
  diff.retire = {key("id:1")};
  const std::string before = plan_id(diff);
  diff.add = {active("id:2")};
  diff.change = {active("id:3", "x")};
  diff.drop = {key("id:4")};
  EXPECT_EQ(plan_id(diff), before);
}

}  // namespace
}  // namespace rota::test
