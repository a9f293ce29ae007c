#include <fmt/format.h>
#include <gmock/gmock.h>

#include "roster/roster_limits.h"
#include "settings/roster_file.h"

namespace rota {

// For messages of failed expectations.
static void PrintTo(const RosterEntry& entry, std::ostream* out) {
  *out << fmt::format("{} name=\"{}\" tags=[{}] retired={}", entry.key.text(), entry.name,
                      fmt::join(entry.tags, ","), entry.retired);
}

namespace {

using testing::ElementsAre;

Roster parse(std::string_view text) {
  const std::vector<RosterFile> files{{"roster.toml", std::string(text)}};
  auto roster = parse_roster(files);
  if (!roster) {
    ADD_FAILURE() << roster.error().message;
    return {};
  }
  return *std::move(roster);
}

RosterEntry entry(std::string_view key) {
  return {.key = MemberKey::parse(key).value(), .name = {}, .tags = {}, .retired = false};
}

TEST(ParseRoster, ReadsEverySelectorAndKey) {
  const Roster roster = parse(R"(# people
[[member]]
community_member_id = 42
name = "Ada"
tags = ["support", "admin"]

[[member]]
email = "grace@example.com"
retired = true

[[member]]
sso_user_id = "google-oauth2|106228182038999999999"
retired = false
)");
  RosterEntry ada = entry("id:42");
  ada.name = "Ada";
  ada.tags = {"admin", "support"};
  RosterEntry grace = entry("email:grace@example.com");
  grace.retired = true;
  EXPECT_THAT(roster.entries,
              ElementsAre(ada, grace, entry("sso:google-oauth2|106228182038999999999")));
}

TEST(ParseRoster, SortsTagsAndDropsRepeats) {
  const Roster roster =
      parse("[[member]]\ncommunity_member_id = 1\ntags = [\"b\", \"a\", \"b\"]\n");
  ASSERT_EQ(roster.entries.size(), 1U);
  EXPECT_THAT(roster.entries[0].tags, ElementsAre("a", "b"));
}

TEST(ParseRoster, TakesEveryWayToWriteTheSameMembers) {
  const auto expected = ElementsAre(entry("id:1"), entry("id:2"));
  for (const std::string_view text : {
           "[[member]]\ncommunity_member_id = 1\n[[member]]\ncommunity_member_id = 2\n",
           "[[member]]\ncommunity_member_id = 1\n[[member]]\ncommunity_member_id = 2",
           "\xef\xbb\xbf[[member]]\ncommunity_member_id = 1\n[[member]]\ncommunity_member_id = 2\n",
           "[[member]]\r\ncommunity_member_id = 1\r\n[[member]]\r\ncommunity_member_id = 2\r\n",
           "\r\n[[member]]\r\ncommunity_member_id = 1\r\n[[member]]\r\ncommunity_member_id = 2",
           "  [[ member ]]\n  community_member_id=1\n[[member]] # two\ncommunity_member_id=0x2\n",
           "member = [{community_member_id = 1}, {community_member_id = 2}]\n",
           "member = [\n  {community_member_id = 1},\n  {community_member_id = 2},\n]\n",
           "[[\"member\"]]\n\"community_member_id\" = 1\n[['member']]\n'community_member_id' = 2\n",
           "[[member]]\ncommunity_member_id = 1\nname = ''''''\n[[member]]\ncommunity_member_id = "
           "2\n",
       }) {
    EXPECT_THAT(parse(text).entries, expected) << text;
  }
}

// Wherever the text is cut, a header inside a string is part of that string: a newline in a name is
// refused as such.
TEST(ParseRoster, LeavesAHeaderInsideAStringAlone) {
  for (const std::string_view quote : {"\"\"\"", "'''"}) {
    for (const int count : {1, 63, 64, 65, 128}) {
      std::string text;
      for (int i = 1; i <= count; ++i) {
        text += fmt::format("[[member]]\ncommunity_member_id = {}\n", i);
      }
      text += fmt::format("name = {0}x\n[[member]]\n{0}\n", quote);
      const std::vector<RosterFile> files{{"r.toml", text}};
      const auto roster = parse_roster(files);
      ASSERT_FALSE(roster);
      EXPECT_THAT(roster.error().message,
                  testing::StartsWith(fmt::format("r.toml:{}:8: member {}: name: has a control",
                                                  2 * count + 1, count)));
    }
  }
}

TEST(ParseRoster, KeepsTextsUpToTheirLimits) {
  std::string tags;
  for (std::size_t i = 0; i < kMemberTagsMax; ++i) {
    tags += fmt::format("\"{:0>{}}\", ", i, kTagBytesMax);
  }
  const Roster roster = parse(fmt::format(
      "[[member]]\nsso_user_id = \"{}\"\nname = \"{}\"\ntags = [{}]\n",
      std::string(kMemberKeyBytesMax, 's'), std::string(kMemberNameBytesMax, 'n'), tags));
  ASSERT_EQ(roster.entries.size(), 1U);
  EXPECT_EQ(roster.entries[0].name.size(), kMemberNameBytesMax);
  EXPECT_EQ(roster.entries[0].tags.size(), kMemberTagsMax);
  EXPECT_EQ(roster.entries[0].tags[0].size(), kTagBytesMax);
}

TEST(ParseRoster, KeepsTheLargestIdAndTextsBeyondAscii) {
  const Roster roster = parse(
      "[[member]]\ncommunity_member_id = 9007199254740992\nname = \"Zo\u00eb \u5c0f\"\n"
      "tags = [\"\u00e9quipe\"]\n");
  ASSERT_EQ(roster.entries.size(), 1U);
  EXPECT_EQ(roster.entries[0].key.id(), kCommunityMemberIdMax);
  EXPECT_EQ(roster.entries[0].name, "Zo\u00eb \u5c0f");
}

TEST(ParseRoster, ReadsSeveralFilesInOrderAsOne) {
  const std::vector<RosterFile> files{{"a.toml", "[[member]]\ncommunity_member_id = 2\n"},
                                      {"b.toml", "[[member]]\ncommunity_member_id = 1\n"}};
  const auto roster = parse_roster(files);
  ASSERT_TRUE(roster) << roster.error().message;
  EXPECT_THAT(roster->entries, ElementsAre(entry("id:2"), entry("id:1")));
}

TEST(ParseRoster, TellsSelectorsOfOtherKindsAndCasesApart) {
  const Roster roster = parse(
      "[[member]]\ncommunity_member_id = 7\n[[member]]\nsso_user_id = \"7\"\n"
      "[[member]]\nsso_user_id = \"a@b\"\n[[member]]\nemail = \"a@b\"\n"
      "[[member]]\nsso_user_id = \"A@b\"\n");
  EXPECT_EQ(roster.entries.size(), 5U);
}

// Long rosters are parsed in pieces: the seams must not show, whatever their distance.
TEST(ParseRoster, KeepsOrderAndLinesAcrossPieces) {
  for (const int count : {1, 63, 64, 65, 127, 128, 129, 1'000}) {
    std::string text = "# a roster\n\n";
    for (int i = 1; i <= count; ++i) {
      text += fmt::format("[[member]]\ncommunity_member_id = {}\n\n", i);
    }
    const Roster roster = parse(text);
    ASSERT_EQ(roster.entries.size(), static_cast<std::size_t>(count));
    for (int i = 1; i <= count; ++i) {
      ASSERT_EQ(roster.entries[static_cast<std::size_t>(i) - 1].key.id(), i);
    }
    text += "[[member]]\nemial = 1\n";
    const std::vector<RosterFile> files{{"r.toml", text}};
    const auto broken = parse_roster(files);
    ASSERT_FALSE(broken);
    EXPECT_THAT(broken.error().message,
                testing::StartsWith(
                    fmt::format("r.toml:{}:1: member {}: \"emial\"", 3 * count + 4, count + 1)));
  }
}

TEST(ParseRoster, NamesItsFilesBitByBit) {
  const std::string one = "[[member]]\ncommunity_member_id = 1\n";
  const std::string two = "[[member]]\ncommunity_member_id = 2\n";
  const auto name_of = [](const std::vector<RosterFile>& files) {
    const auto roster = parse_roster(files);
    EXPECT_TRUE(roster);
    return roster ? roster->fingerprint : Fingerprint{0};
  };
  const Fingerprint both = name_of({{"a", one}, {"b", two}});
  EXPECT_EQ(both, name_of({{"a", one}, {"b", two}}));
  EXPECT_NE(both, 0U);
  EXPECT_NE(both, name_of({{"a", one}, {"b", two + "\n"}}));
  EXPECT_NE(both, name_of({{"a", one}, {"c", two}}));
  EXPECT_NE(both, name_of({{"a", one + two}}));
  EXPECT_NE(both, name_of({{"a", two}, {"b", one}}));
}

}  // namespace
}  // namespace rota
