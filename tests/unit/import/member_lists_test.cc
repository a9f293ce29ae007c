#include "import/member_lists.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "roster/roster_limits.h"

namespace rota {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr ImportRules kByEmail{.by = SelectorKind::kEmail};

std::string page(int count, std::string_view records) {
  return fmt::format(R"({{"count":{},"records":[{}]}})", count, records);
}
std::string record(int id) { return fmt::format(R"({{"id":{},"active":true}})", id); }

std::string error_of(const std::vector<ListFile>& files, const ImportRules& rules = {}) {
  const auto roster = read_member_lists(files, rules);
  return roster ? "taken" : roster.error().message;
}

TEST(MemberLists, JoinsFilesAndSorts) {
  const auto roster =
      read_member_lists(std::vector<ListFile>{{"a.csv", "Member ID\n10\n2\n"},
                                              {"p1.json", page(2, record(9))},
                                              {"p2.json", " \n" + page(2, record(100))}},
                        {});
  ASSERT_TRUE(roster) << roster.error().message;
  std::vector<std::string> keys;
  for (const RosterEntry& entry : roster->entries) keys.push_back(entry.key.text());
  EXPECT_THAT(keys, ElementsAre("id:2", "id:9", "id:10", "id:100"));
}

TEST(MemberLists, P6RefusesAMemberThatIsListedTwice) {
  EXPECT_EQ(error_of({{"a.csv", "Member ID\n1\n2\n1\n"}}),
            "a.csv:4: this member is listed already, at a.csv:2");
  EXPECT_EQ(error_of({{"a.csv", "Email\nada@x\n"}, {"b.csv", "Email\nbob@x\nADA@X\n"}}, kByEmail),
            "b.csv:3: this member is listed already, at a.csv:2");
  EXPECT_EQ(error_of({{"p.json", page(2, record(1) + "," + record(1))}}),
            "p.json: record 2: this member is listed already, at p.json: record 1");
}

TEST(MemberLists, P6RefusesListsWithoutMembers) {
  EXPECT_EQ(error_of({{"a.csv", "Member ID\n"}}), "a.csv: lists no member");
  EXPECT_EQ(error_of({{"p.json", page(0, "")}}), "p.json: lists no member");
  EXPECT_THAT(error_of({}), HasSubstr("lists no member"));
  EXPECT_THAT(error_of({{"a.csv", ""}}), HasSubstr("empty"));
}

TEST(MemberLists, P6RefusesHalfAList) {
  EXPECT_THAT(error_of({{"a.csv", "Member ID\n1\n"}, {"p.json", page(2, record(2))}}),
              HasSubstr("pages are missing"));
  EXPECT_THAT(error_of({{"a.csv", "Member ID\n1\n"}, {"b.csv", "Member ID\n2"}}),
              HasSubstr("cut off"));
}

TEST(MemberLists, TakesAMillionMembersAndNoMore) {
  std::string text = "Member ID\n";
  for (std::size_t id = 1; id <= kRosterEntriesMax; ++id) text += fmt::format("{}\n", id);
  std::vector<ListFile> files{{"a.csv", std::move(text)}};
  const auto roster = read_member_lists(files, {});
  ASSERT_TRUE(roster) << roster.error().message;
  EXPECT_EQ(roster->entries.size(), kRosterEntriesMax);
  files.front().text += fmt::format("{}\n", kRosterEntriesMax + 1);
  EXPECT_EQ(error_of(files), "a.csv: there are more than 1000000 members");
}

}  // namespace
}  // namespace rota
