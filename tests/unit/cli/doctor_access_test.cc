#include "cli/doctor_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rota::cli {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kWeb = 33;
constexpr std::uint32_t kRota = 990;

UserIds web(std::vector<std::uint32_t> groups = {kWeb}) {
  return {.name = "www-data", .uid = kWeb, .groups = std::move(groups)};
}

std::vector<PathStep> way(mode_t folder, mode_t socket) {
  return {{.path = "/", .uid = 0, .gid = 0, .group = "root", .mode = 0755},
          {.path = "/run/rota", .uid = 0, .gid = 0, .group = "root", .mode = folder},
          {.path = "/run/rota/token.sock",
           .uid = kRota,
           .gid = kRota,
           .group = "rota",
           .mode = socket}};
}

TEST(JudgeWay, TheFirstClassThatFitsDecides) {
  struct Case {
    const char* what;
    UserIds user;
    mode_t folder;
    mode_t socket;
    bool opens;
  };
  const UserIds rota{.name = "rota", .uid = kRota, .groups = {kRota}};
  const UserIds root{.name = "root", .uid = 0, .groups = {0}};
  for (const Case& c : {Case{"a stranger", web(), 0755, 0660, false},
                        Case{"a member of the group", web({kWeb, kRota}), 0755, 0660, true},
                        Case{"a group that may only read", web({kWeb, kRota}), 0755, 0646, false},
                        Case{"everybody", web(), 0755, 0666, true},
                        Case{"a closed folder", web({kWeb, kRota}), 0750, 0660, false},
                        Case{"the owner", rota, 0755, 0600, true},
                        Case{"an owner without the right", rota, 0755, 0066, false},
                        Case{"root", root, 0700, 0600, true}}) {
    const Finding finding = judge_way(c.user, way(c.folder, c.socket));
    EXPECT_EQ(finding.state, c.opens ? FindingState::kGood : FindingState::kWrong) << c.what;
  }
}

TEST(JudgeWay, SaysWhatToDo) {
  EXPECT_THAT(judge_way(web(), way(0755, 0660)).remedy, HasSubstr("usermod -aG rota www-data"));
  EXPECT_THAT(judge_way(web(), way(0750, 0660)).remedy, HasSubstr("chmod o+x /run/rota"));
  EXPECT_THAT(judge_way(web(), way(0755, 0600)).remedy, HasSubstr("SocketGroup="))
      << "membership would not help";
  std::vector<PathStep> of_root = way(0755, 0660);
  of_root.back().gid = 0;
  EXPECT_THAT(judge_way(web(), of_root).remedy, HasSubstr("SocketGroup=")) << "nor in root's group";
}

TEST(JudgeGrants, NamesTheMembersAndBywhat) {
  const std::vector<GrantSettings> grants{{.holder = GrantSettings::Holder::kUser,
                                           .name = "helpdesk",
                                           .where = {},
                                           .all_members = true,
                                           .tags = {},
                                           .members = {}},
                                          {.holder = GrantSettings::Holder::kGroup,
                                           .name = "www-data",
                                           .where = {},
                                           .all_members = false,
                                           .tags = {"support"},
                                           .members = {*MemberKey::parse("id:42")}}};
  std::vector<Grant> resolved(2);
  resolved[0].id = 1'001;
  resolved[1].holder = Grant::Holder::kGroup;
  resolved[1].id = kWeb;
  EXPECT_EQ(judge_grants(web(), kRota, grants, resolved),
            good("grants", "www-data gets tag:support, id:42 (as group www-data)"));
  std::vector<GrantSettings> for_enrolling = grants;
  for_enrolling[1].may = {Right::kEnrol};
  EXPECT_EQ(judge_grants(web(), kRota, for_enrolling, resolved).state, FindingState::kWrong)
      << "it may enrol, and fetch nothing";
  std::vector<GrantSettings> many = grants;
  many[1].tags.clear();
  for (int tag = 0; tag < 12; ++tag) many[1].tags.push_back("t" + std::to_string(tag));
  EXPECT_THAT(judge_grants(web(), kRota, many, resolved).text,
              HasSubstr("tag:t9 and 3 more (as group www-data)"));
  const Finding none = judge_grants(web({7}), kRota, grants, resolved);
  EXPECT_EQ(none.state, FindingState::kWrong);
  EXPECT_THAT(none.remedy, HasSubstr("user = \"www-data\""));
  EXPECT_EQ(judge_grants({.name = "rota", .uid = kRota, .groups = {}}, kRota, {}, {}).state,
            FindingState::kGood);
}

TEST(JudgeRosterReader, TellsOfAProgramThatReadsMoreThanTokens) {
  const auto way = [](mode_t mode) {
    return std::vector<PathStep>{
        {.path = "/etc", .uid = 0, .gid = 0, .group = "root", .mode = 0755},
        {.path = "/etc/roster.toml", .uid = 0, .gid = 990, .group = "rota", .mode = mode}};
  };
  const UserIds inside{.name = "www-data", .uid = 33, .groups = {33, 990}};
  const UserIds outside{.name = "www-data", .uid = 33, .groups = {33}};
  const auto told = judge_roster_reader(inside, way(0640));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->state, FindingState::kNote);
  EXPECT_NE(told->remedy.find("gpasswd --delete www-data rota"), std::string::npos);
  EXPECT_FALSE(judge_roster_reader(outside, way(0640)));
  EXPECT_FALSE(judge_roster_reader(inside, way(0600)));
  ASSERT_TRUE(judge_roster_reader(outside, way(0644)));
  EXPECT_NE(judge_roster_reader(outside, way(0644))->remedy.find("chmod o-rwx"), std::string::npos);
  // Its own file: to leave the group would not help.
  std::vector<PathStep> own = way(0640);
  own.back().uid = inside.uid;
  EXPECT_THAT(judge_roster_reader(inside, own)->remedy, HasSubstr("chmod"));
  EXPECT_FALSE(judge_roster_reader({.name = "root", .uid = 0, .groups = {0}}, way(0640)));
}

}  // namespace
}  // namespace rota::cli
