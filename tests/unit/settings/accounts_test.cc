#include "settings/accounts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace rota {
namespace {

using testing::HasSubstr;

GrantSettings grant_to(GrantSettings::Holder holder, std::string name) {
  return {.holder = holder,
          .name = std::move(name),
          .where = "rotad.toml:7:8: grant 2: user",
          .all_members = true,
          .tags = {"x"},
          .members = {MemberKey::from_id(42).value()}};
}

TEST(Accounts, FindsByNameAndByNumber) {
  EXPECT_EQ(find_user("root").value_or(1), 0U);
  EXPECT_EQ(find_group("root").value_or(1), 0U);
  EXPECT_EQ(find_user("3123456789").value_or(0), 3'123'456'789U);
  EXPECT_EQ(find_group("3123456789").value_or(0), 3'123'456'789U);
}

TEST(Accounts, SaysWhoThereIsNot) {
  for (const char* name : {"no-such-account", "-1", "4294967295", "4294967296", " 1", ""}) {
    const auto user = find_user(name);
    ASSERT_FALSE(user) << name;
    EXPECT_EQ(user.error().kind, ErrorKind::kConfig);
    EXPECT_EQ(user.error().message, fmt::format("no user \"{}\"", name));
    const auto group = find_group(name);
    ASSERT_FALSE(group) << name;
    EXPECT_EQ(group.error().message, fmt::format("no group \"{}\"", name));
  }
}

TEST(Accounts, P10DoesNotRepeatASecretInANamesPlace) {
  const std::string secret = "qT7mZx2LpV9kRb4NwYc8HdJ6";
  EXPECT_EQ(find_user(secret).error().message,
            "no user (not repeated here, since it may be a secret)");
  EXPECT_EQ(find_group(secret).error().message,
            "no group (not repeated here, since it may be a secret)");
  const GrantSettings grant = grant_to(GrantSettings::Holder::kUser, secret);
  EXPECT_THAT(known_grantees({grant}, {}).held.at(0).why, testing::Not(HasSubstr(secret)));
}

TEST(Accounts, ResolvesGrantsAsTheyAre) {
  const auto grants = resolve_grants({grant_to(GrantSettings::Holder::kUser, "root"),
                                      grant_to(GrantSettings::Holder::kGroup, "12345")});
  ASSERT_TRUE(grants) << grants.error().message;
  ASSERT_EQ(grants->size(), 2U);
  EXPECT_EQ((*grants)[0].holder, Grant::Holder::kUser);
  EXPECT_EQ((*grants)[0].id, 0U);
  EXPECT_EQ((*grants)[1].holder, Grant::Holder::kGroup);
  EXPECT_EQ((*grants)[1].id, 12'345U);
  EXPECT_TRUE((*grants)[1].all_members);
  EXPECT_EQ((*grants)[1].tags, (std::vector<std::string>{"x"}));
  EXPECT_EQ((*grants)[1].members.size(), 1U);
}

TEST(Accounts, AGrantToNobodyKnownNamesItsPlace) {
  for (const auto holder : {GrantSettings::Holder::kUser, GrantSettings::Holder::kGroup}) {
    const auto grants = resolve_grants({grant_to(holder, "no-such-account")});
    ASSERT_FALSE(grants);
    EXPECT_EQ(grants.error().kind, ErrorKind::kConfig);
    EXPECT_THAT(grants.error().message, testing::StartsWith("rotad.toml:7:8: grant 2: user: no "));
  }
}

// Whoever the kernel does not know in this namespace comes as these.
TEST(Accounts, NoGrantGoesToTheOnesWhoStandForStrangers) {
  const OverflowIds strangers = overflow_ids();
  for (const auto& grant :
       {grant_to(GrantSettings::Holder::kUser, std::to_string(strangers.user)),
        grant_to(GrantSettings::Holder::kGroup, std::to_string(strangers.group))}) {
    const auto grants = resolve_grants({grant});
    ASSERT_FALSE(grants);
    EXPECT_EQ(grants.error().kind, ErrorKind::kConfig);
    EXPECT_THAT(grants.error().message, HasSubstr("user namespace"));
  }
}

TEST(Accounts, AGrantIsHeldBackForItselfAlone) {
  const Grantees found = find_grantees({grant_to(GrantSettings::Holder::kUser, "no-such-account"),
                                        grant_to(GrantSettings::Holder::kUser, "root")});
  ASSERT_EQ(found.grants.size(), 1U);
  EXPECT_EQ(found.grants[0].id, 0U);
  ASSERT_EQ(found.held.size(), 1U);
  EXPECT_FALSE(found.held[0].is_wrong);
  EXPECT_TRUE(found.may_come());
  EXPECT_EQ(found.ids.size(), 1U);

  const Grantees strangers =
      find_grantees({grant_to(GrantSettings::Holder::kUser, std::to_string(overflow_ids().user))});
  ASSERT_EQ(strangers.held.size(), 1U);
  EXPECT_TRUE(strangers.held[0].is_wrong);
  EXPECT_FALSE(strangers.may_come());
}

// What a reload goes by until the name services have answered.
TEST(Accounts, WhatIsKnownAsksNobody) {
  const std::vector<GrantSettings> grants{grant_to(GrantSettings::Holder::kUser, "made-up"),
                                          grant_to(GrantSettings::Holder::kGroup, "made-up")};
  const HolderIds known{{{GrantSettings::Holder::kUser, "made-up"}, 7}};
  const Grantees found = known_grantees(grants, known);
  ASSERT_EQ(found.grants.size(), 1U);
  EXPECT_EQ(found.grants[0].id, 7U);
  EXPECT_EQ(found.held.size(), 1U);
  EXPECT_TRUE(find_grantees(grants, known).grants.empty()) << "who is gone is not known any more";
}

}  // namespace
}  // namespace rota
