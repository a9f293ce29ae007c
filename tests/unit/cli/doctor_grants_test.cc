#include "cli/doctor_grants.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const MemberKey kAda = *MemberKey::parse("id:1");
const MemberKey kBob = *MemberKey::parse("id:2");

GrantSettings grant(const std::string& name) {
  return {.name = name, .where = "rotad.toml:7:1: grant 1: user", .tags = {}, .members = {}};
}

Roster roster() {
  return {.entries = {{.key = kAda, .name = "Ada", .tags = {"staff"}},
                      {.key = kBob, .name = "Bob", .tags = {"left"}, .retired = true}}};
}

TEST(JudgeReach, NamesAGrantThatGivesNobodysToken) {
  GrantSettings all = grant("root");
  all.all_members = true;
  GrantSettings by_tag = grant("web");
  by_tag.tags = {"staff"};
  GrantSettings by_key = grant("web");
  by_key.members = {kAda};
  EXPECT_THAT(judge_reach({all, by_tag, by_key}, roster()), IsEmpty());
  by_tag.tags = {"stuff"};
  const Findings found = judge_reach({all, by_tag, by_key}, roster());
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].state, FindingState::kNote);
  EXPECT_THAT(found[0].text, HasSubstr("web reaches nobody: the roster has none of tag:stuff"));
  EXPECT_THAT(found[0].remedy, HasSubstr("(rotad.toml:7:1)"));
  by_tag.tags = {"left"};
  by_key.members = {kBob};
  EXPECT_THAT(judge_reach({by_tag, by_key}, roster()), SizeIs(2)) << "of a retired member";
  all.may.add(Right::kEnrol);
  EXPECT_THAT(judge_reach({all, by_tag, by_key}, roster()), IsEmpty())
      << "clients may enrol members with this tag";
}

TEST(JudgeClient, SaysWhatItGetsAndMayDo) {
  Settings settings;
  EXPECT_EQ(judge_client("shop", settings).state, FindingState::kWrong);
  EXPECT_THAT(judge_client("shop", settings).remedy, HasSubstr("rota client add"));
  settings.clients = {{.name = "shop", .tokens = {}}};
  EXPECT_EQ(judge_client("shop", settings).state, FindingState::kWrong) << "no grant names it";
  GrantSettings own = grant("shop");
  own.holder = GrantSettings::Holder::kClient;
  own.tags = {"staff"};
  own.may.add(Right::kSignOut);
  GrantSettings of_a_user = grant("shop");
  of_a_user.all_members = true;
  GrantSettings of_another = own;
  of_another.name = "blog";
  of_another.tags = {"all"};
  settings.grants = {own, of_a_user, of_another};
  EXPECT_EQ(judge_client("shop", settings),
            good("grants", "shop gets tag:staff, and may sign them out"));
}

TEST(UnitIds, AreThoseThatTheUnitRunsAs) {
  const auto of = [](std::string_view shown) {
    return unit_ids("app.service", parse_unit_properties(shown));
  };
  const auto root = of("LoadState=loaded\nUser=\nGroup=\nSupplementaryGroups=\nDynamicUser=no\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0U) << "without User= it is root";
  const auto daemon =
      of("LoadState=loaded\nUser=daemon\nGroup=\nSupplementaryGroups=root 4711\nDynamicUser=no\n");
  ASSERT_TRUE(daemon) << daemon.error().message;
  EXPECT_EQ(daemon->name, "daemon");
  EXPECT_THAT(daemon->groups, ::testing::IsSupersetOf({0U, 4711U}));
  EXPECT_THAT(of("LoadState=not-found\n").error().message, HasSubstr("no unit \"app.service\""));
  EXPECT_THAT(of("LoadState=loaded\nUser=app\nDynamicUser=yes\n").error().message,
              HasSubstr("SupplementaryGroups="));
  EXPECT_FALSE(of("LoadState=loaded\nUser=no-such-user\nDynamicUser=no\n"));
}

TEST(UserIds, HasTheGroupsOfItsAccount) {
  const auto root = user_ids("root");
  ASSERT_TRUE(root);
  EXPECT_THAT(root->groups, ::testing::Contains(0U));
}

}  // namespace
}  // namespace rota::cli
