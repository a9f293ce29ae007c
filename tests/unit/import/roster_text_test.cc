#include "roster/roster_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

#include "base/text.h"
#include "import/listed_member.h"
#include "roster/roster_limits.h"
#include "settings/roster_file.h"

namespace rota {
namespace {

using testing::HasSubstr;
using testing::Not;

RosterEntry entry_of(std::string_view key, std::string name = {},
                     std::vector<std::string> tags = {}, bool retired = false) {
  return {*MemberKey::parse(key), std::move(name), std::move(tags), retired};
}

void expect_same(const std::vector<RosterEntry>& entries) {
  const std::string text = roster_text(entries);
  const auto roster = parse_roster(std::array{RosterFile{"r.toml", text}});
  ASSERT_TRUE(roster) << roster.error().message << "\n" << text;
  ASSERT_EQ(roster->entries.size(), entries.size()) << text;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(roster->entries[i], entries[i]) << text;
    EXPECT_TRUE(roster->entries[i].key.same_spelling(entries[i].key)) << text;
  }
  EXPECT_EQ(visible(text, "\n"), text) << "nothing is hidden in it";
}

TEST(RosterText, IsReadBack) {
  expect_same({entry_of("id:9007199254740992"), entry_of("email:Ada@x", "Ada", {"a", "b"}),
               entry_of("sso:google|1", "", {}, true)});
}

TEST(RosterText, ReadsAsAPersonWouldWriteIt) {
  EXPECT_EQ(roster_text(std::array{entry_of("id:42", "Zoë \"Z\"", {"circle:a", "circle:b"}, true)}),
            "\n[[member]]\ncommunity_member_id = 42\nname = \"Zoë \\\"Z\\\"\"\n"
            "tags = [\"circle:a\", \"circle:b\"]\nretired = true\n");
}

// The longest entry: its lines must stay below the limit of the reader.
TEST(RosterText, TheLongestEntryIsReadBack) {
  RosterEntry entry = entry_of("sso:" + std::string(kMemberKeyBytesMax, '\\'),
                               std::string(kMemberNameBytesMax, '"'));
  for (std::size_t i = 0; i < kMemberTagsMax; ++i) {
    entry.tags.push_back(fmt::format("{:02}{}", i, std::string(kTagBytesMax - 2, '"')));
  }
  expect_same({entry});
  entry.key = *MemberKey::from_sso([] {
    std::string unseen;
    while (unseen.size() + 2 <= kMemberKeyBytesMax) unseen += "\xc2\xad";
    return unseen;
  }());
  expect_same({entry});
}

// Text that wants to be something else: the end of a string, another member, a string of several
// lines, an escape, a comment, or unseen.
constexpr std::array<std::string_view, 22> kPieces{"\"",
                                                   "\\",
                                                   "'",
                                                   "''",
                                                   "'''",
                                                   "\"\"\"",
                                                   "#",
                                                   "[[member]]",
                                                   "\\n",
                                                   "\\u0041",
                                                   "=",
                                                   "x",
                                                   "]",
                                                   "\xe2\x80\xae",
                                                   "\xc2\xad",
                                                   "\xc3\xa4",
                                                   "\xf0\x9f\x98\x80",
                                                   "\xf3\xa0\x81\x81",
                                                   "\xe2\x80\xa8",
                                                   "\xef\xbb\xbf",
                                                   ",",
                                                   "retired = true"};

// Pieces that only a name or a cell of a list may have.
constexpr std::array<std::string_view, 6> kControls{"\n", "\r\n", "\t", "\x1b", "\xc2\x85", " "};

TEST(RosterText, OddTextsAreReadBack) {
  std::uint32_t state = 7;
  const auto draw = [&state](std::size_t below) {
    state = state * 1'664'525U + 1'013'904'223U;
    return (state >> 16U) % below;
  };
  const auto odd = [&](bool with_controls) {
    std::string text;
    for (std::size_t i = 0, count = 1 + draw(8); i < count; ++i) {
      text += with_controls && draw(3) == 0 ? kControls[draw(kControls.size())]
                                            : kPieces[draw(kPieces.size())];
    }
    return text;
  };
  for (int round = 0; round < 500; ++round) {
    std::vector<RosterEntry> entries;
    for (int i = 0; i < 3; ++i) {
      RosterEntry entry = entry_of(fmt::format("sso:{}{}", i, odd(false)),
                                   name_from_list(odd(true)), {}, draw(2) == 0);
      const std::string one = odd(false).substr(0, 40);
      const std::string two = odd(false).substr(0, 40);
      auto tags = tags_from_list(std::array<std::string_view, 2>{one, two});
      if (tags) entry.tags = *std::move(tags);  // a character that was cut in two is no tag
      entries.push_back(std::move(entry));
    }
    expect_same(entries);
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace rota
