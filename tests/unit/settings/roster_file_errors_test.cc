#include <fmt/format.h>
#include <gmock/gmock.h>

#include "roster/roster_limits.h"
#include "settings/roster_file.h"

namespace rota {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Error error_of(std::vector<RosterFile> files) {
  const auto roster = parse_roster(files);
  if (roster) {
    ADD_FAILURE() << "was taken";
    return {};
  }
  return roster.error();
}

struct Bad {
  std::string text;
  std::string at;   // how the message starts
  std::string why;  // and what it says
};

void expect_errors(const std::vector<Bad>& rows) {
  for (const Bad& row : rows) {
    SCOPED_TRACE(row.text.substr(0, 200));
    const Error error = error_of({{"roster.toml", row.text}});
    EXPECT_EQ(error.kind, ErrorKind::kConfig);
    EXPECT_THAT(error.message, StartsWith("roster.toml:" + row.at));
    EXPECT_THAT(error.message, HasSubstr(row.why));
    EXPECT_THAT(error.message, Not(HasSubstr("\n")));
  }
}

// The text of a member by its id, with one more line of its own.
std::string with(std::string_view line) {
  return fmt::format("[[member]]\ncommunity_member_id = 42\n{}\n", line);
}

TEST(BadRoster, NoMember) {
  expect_errors({
      {"", "1:", "no [[member]]"},
      {"\n", "1:", "no [[member]]"},
      {"\xef\xbb\xbf", "1:", "no [[member]]"},
      {"# nobody\n", "1:", "no [[member]]"},
      {"member = []\n", "1:", "no [[member]]"},
  });
  EXPECT_THAT(error_of({}).message, HasSubstr("no file"));
}

TEST(BadRoster, AnEmptyFileAmongOthers) {
  const RosterFile good{"a.toml", "[[member]]\ncommunity_member_id = 1\n"};
  const Error error = error_of({good, {"b.toml", ""}});
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message, StartsWith("b.toml:1: has no [[member]]"));
}

TEST(BadRoster, Syntax) {
  expect_errors({
      {"[[member\n", "1:9: ", "table header"},
      {"[[member]]\nemail = \"grace@exam", "2:", "end-of-file"},
      {"[[member]]\nemail = \n", "2:", "value"},
      {"[[member]]\nemail\n", "2:", "key-value"},
      {"[[member]]\nretired = tru", "2:", "boolean"},
      {with("tags = [\"support\""), "3:19: ", "array"},
      {with("community_member_id = 43"), "3:", "redefine"},
      {with("name = \"a\\qb\""), "3:", "escape"},
      {with("name = 12x"), "3:", "expected"},
      {with("x = 1\ry = 2"), "3:", "'\\r'"},
      {"[[member]]\ncommunity_member_id = 99999999999999999999\n", "2:", "64 bits"},
      {"[[member]]\nemail = 'a@b'\n\n[[member]]\nemail = \n", "5:", "value"},
      {"[member]\nx = 1\n[[member]]\nemail = \"a@b\"\n", "3:", "redefine"},
      {"member = [{email = \"a@b\"}]\n[[member]]\nemail = \"c@d\"\n", "2:", "member"},
  });
}

TEST(BadRoster, BytesThatAreNoText) {
  expect_errors({
      {"[[member]]\nemail = \"a@b\xff\"\n", "2:", "utf-8"},
      {"[[member]]\nemail = \"a@b\"\n# \xc3\x28\n", "3:", "utf-8"},
      {"[[member]]\nemail = \"a@b\"\nname = \"\xed\xa0\x80\"\n", "3:", "utf-8"},
      {"[[member]]\nemail = \"a@b\"\n\xe2\x82", "2:", "utf-8"},
      {"\xff\xfe[\0[\0"s, "1:1: ", "utf-8"},
      {"[[member]]\nemail = \"a@b\0\"\n"s, "2:", "control characters"},
      {"[[member]]\n\0email = \"a@b\"\n"s, "2:1: ", "\\u0000"},
      {"\0"s, "1:1: ", "\\u0000"},
      {"[\x01", "1:2: ", "bare key"},
      {"[[\x0c]]\n", "1:3: ", "bare key"},
      {"\xc3\xa9 = 1\n", "1:1: ", "expected"},
      {"[[member]]\n\xef\xbb\x9f = 1\n", "2:1: ", "expected"},
      {"[[member]]\n\"\\u009b\" = 1\n", "2:1: ", "\"\\x9b\" is not a known key"},
      {"[[member]]\nemail = \"a@b\"\n# x\0\n"s, "3:", "control characters"},
      {with("\xef\xbb\xbfname = \"x\""), "3:1: ", "expected"},
  });
}

TEST(BadRoster, UnknownKeys) {
  expect_errors({
      {"[[member]]\nemial = \"a@b\"\n",
       "2:1: ", "member 1: \"emial\" is not a known key (did you mean \"email\"?)"},
      {with("  Name = \"x\""), "3:3: ", "\"Name\" is not a known key (did you mean \"name\"?)"},
      {with("zzz = 1"), "3:1: ", "member 1: \"zzz\" is not a known key"},
      {with("\"\" = 1"), "3:1: ", "member 1: \"\" is not a known key"},
      {with("\"a\\nb\" = 1"), "3:1: ", "\"a\\x0ab\" is not a known key"},
      {with("tags.x = 1"), "3:", "tags: must be a list, not a table"},
      {with("x.y = 1"), "3:1: ", "\"x\" is not a known key"},
      {with(std::string(5'000, 'k') + " = 1"),
       "3:1: ", "(not repeated here, since it may be a secret) is not a known key"},
      {"membr = 1\n" + with(""),
       "1:1: ", "\"membr\" is not a known key (did you mean \"member\"?)"},
      {"[[members]]\nemail = \"a@b\"\n", "1:", "\"members\" is not a known key"},
      {with("[upstream]\nbase_url = \"x\""), "3:", "\"upstream\" is not a known key"},
      {with("[member.extra]\nx = 1"), "3:", "\"extra\" is not a known key"},
      // The first one in the text is named, not the first of the alphabet.
      {with("zz = 1\naa = 1"), "3:1: ", "\"zz\""},
  });
}

TEST(BadRoster, WrongTypes) {
  expect_errors({
      {"[[member]]\ncommunity_member_id = \"42\"\n",
       "2:23: ", "member 1: community_member_id: must be a whole number, not a string"},
      {"[[member]]\ncommunity_member_id = 42.0\n", "2:23: ", "not a decimal number"},
      {"[[member]]\ncommunity_member_id = true\n", "2:23: ", "not a boolean"},
      {"[[member]]\ncommunity_member_id = [1]\n", "2:23: ", "not a list"},
      {"[[member]]\nemail = 42\n", "2:9: ", "email: must be a string, not a whole number"},
      {"[[member]]\nemail = 1979-05-27\n", "2:9: ", "email: must be a string, not a date"},
      {"[[member]]\nsso_user_id = 42\n", "2:15: ", "sso_user_id: must be a string"},
      {with("name = 1"), "3:8: ", "name: must be a string"},
      {with("name = {a = 1}"), "3:8: ", "name: must be a string, not a table"},
      {with("tags = \"x\""), "3:8: ", "tags: must be a list, not a string"},
      {with("tags = [1]"), "3:9: ", "tags: must be a string, not a whole number"},
      {with("tags = [\"x\", [\"y\"]]"), "3:14: ", "tags: must be a string, not a list"},
      {with("retired = \"yes\""), "3:11: ", "retired: must be true or false, not a string"},
      {with("retired = 1"), "3:11: ", "retired: must be true or false, not a whole number"},
      {"member = 1\n", "1:10: ", "member: must be a list of tables: [[member]], not a whole"},
      {"[member]\nemail = \"a@b\"\n", "1:", "must be a list of tables: [[member]], not a table"},
      {"member = [1]\n", "1:10: ", "must be a list of tables"},
  });
}

TEST(BadRoster, SelectorsTwiceOrMissing) {
  expect_errors({
      {"[[member]]\n", "1:", "member 1: has no selector"},
      {"[[member]]\nname = \"Ada\"\nretired = true\n", "1:", "member 1: has no selector"},
      {with("") + "[[member]]\n" + with(""), "4:", "member 2: has no selector"},
      {with("email = \"a@b\""),
       "3:9: ", "email: a second selector besides community_member_id; a member has exactly one"},
      {"[[member]]\nsso_user_id = \"x\"\nemail = \"a@b\"\n",
       "3:9: ", "email: a second selector besides sso_user_id"},
  });
}

TEST(BadRoster, SelectorValues) {
  const auto id = [](std::string_view value) {
    return fmt::format("[[member]]\ncommunity_member_id = {}\n", value);
  };
  const auto email = [](std::string_view value) {
    return fmt::format("[[member]]\nemail = \"{}\"\n", value);
  };
  const auto sso = [](std::string_view value) {
    return fmt::format("[[member]]\nsso_user_id = \"{}\"\n", value);
  };
  const std::string too_long(kMemberKeyBytesMax + 1, 'x');
  expect_errors({
      {id("0"), "2:23: ", "member 1: community_member_id 0 is not between 1 and 2^53"},
      {id("-1"), "2:23: ", "community_member_id -1 is not between"},
      {id("-9223372036854775808"), "2:23: ", "community_member_id -9223372036854775808 is not"},
      {id("9007199254740993"), "2:23: ", "community_member_id 9007199254740993 is not between"},
      {id("9223372036854775807"), "2:23: ", "is not between 1 and 2^53"},
      {email("grace"), "2:9: ", "member 1: email \"grace\" is not NAME@DOMAIN"},
      {email(""), "2:9: ", "member 1: email is empty"},
      {email("@b"), "2:9: ", "NAME@DOMAIN"},
      {email("a@"), "2:9: ", "NAME@DOMAIN"},
      {email("a@b@c"), "2:9: ", "NAME@DOMAIN"},
      {email("a b@c"), "2:9: ", "NAME@DOMAIN"},
      {email("a@b\\n"), "2:9: ", "email has a control character"},
      {email("a@b\\u0000"), "2:9: ", "email has a control character"},
      {email("a@b\\u007f"), "2:9: ", "email has a control character"},
      {email(too_long + "@b"), "2:9: ", "email is longer than 512 bytes"},
      {sso(""), "2:15: ", "member 1: sso_user_id is empty"},
      {sso("a\\tb"), "2:15: ", "sso_user_id has a control character"},
      {sso(too_long), "2:15: ", "sso_user_id is longer than 512 bytes"},
  });
}

TEST(BadRoster, NamesAndTags) {
  std::string many;
  for (std::size_t i = 0; i <= kMemberTagsMax; ++i) many += fmt::format("\"t{}\",", i);
  expect_errors({
      {with(fmt::format("name = \"{}\"", std::string(kMemberNameBytesMax + 1, 'n'))),
       "3:8: ", "member 1: name: is longer than 256 bytes"},
      {with("name = \"a\\nb\""), "3:8: ", "name: has a control character"},
      {with("name = \"a\\u001b[31m\""), "3:8: ", "name: has a control character"},
      {with("name = \"a\\u007f\""), "3:8: ", "name: has a control character"},
      {with("name = \"a\\u0080\""), "3:8: ", "name: has a control character"},
      {with("name = \"a\\u009f\""), "3:8: ", "name: has a control character"},
      {with("tags = [\"ok\", \"\"]"), "3:15: ", "tags: has an empty tag"},
      {with("tags = [\"a\\u0000\"]"), "3:9: ", "tags: has a control character"},
      {with(fmt::format("tags = [\"{}\"]", std::string(kTagBytesMax + 1, 't'))),
       "3:9: ", "tags: is longer than 64 bytes"},
      {with(fmt::format("tags = [{}]", many)), "3:8: ", "tags: has more than 64 tags"},
  });
}

TEST(BadRoster, Duplicates) {
  const std::string filler = "[[member]]\nsso_user_id = \"other\"\n";
  expect_errors({
      {with("") + with(""), "4:", "community_member_id: id:42 is already listed at roster.toml:2"},
      {with("") + filler + with("retired = true"), "6:", "member 3: community_member_id: id:42"},
      {"[[member]]\nemail = \"Ada@Example.com\"\n[[member]]\nname = \"x\"\nemail = "
       "\"aDA@example.COM\"\n",
       "3:", "email: email:aDA@example.COM is already listed at roster.toml:2"},
      {"[[member]]\nsso_user_id = \"x\"\n[[member]]\nsso_user_id = \"x\"\n",
       "3:", "sso_user_id: sso:x is already listed at roster.toml:2"},
      {"[[member]]\ncommunity_member_id = 16\n[[member]]\ncommunity_member_id = 0x10\n",
       "3:", "id:16 is already listed at roster.toml:2"},
  });
}

TEST(BadRoster, AllDuplicatesAreToldInOneRun) {
  const Error error = error_of({{"a.toml", with("") + with("") + "[[member]]\nemail = \"a@b\"\n"},
                                {"b.toml", "[[member]]\nemail = \"A@B\"\n" + with("")}});
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message,
              HasSubstr("a.toml:4:1: member 2: community_member_id: id:42 is already listed"));
  EXPECT_THAT(error.message,
              HasSubstr("; b.toml:1:1: member 1: email: email:A@B is already listed"));
  EXPECT_THAT(error.message,
              HasSubstr("; b.toml:3:1: member 2: community_member_id: id:42 is already listed"));
  std::string many = "[[member]]\ncommunity_member_id = 42\n";
  for (int i = 0; i < 51; ++i) many += with("");
  EXPECT_THAT(error_of({{"a.toml", many}}).message, HasSubstr("; and 1 more"));
}

TEST(BadRoster, DuplicatesAcrossFilesNameBoth) {
  const Error error = error_of({{"a.toml", "\n[[member]]\nname = \"x\"\nemail = \"a@b\"\n"},
                                {"b.toml", with("") + "[[member]]\nemail = \"A@B\"\n"}});
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message, StartsWith("b.toml:4:"));
  EXPECT_THAT(error.message, HasSubstr("member 2: email: email:A@B is already listed at a.toml:4"));
}

TEST(BadRoster, NamesTheFileThatIsWrong) {
  const Error error = error_of({{"a.toml", with("")}, {"b.toml", "[[member]]\nemail = 1\n"}});
  EXPECT_THAT(error.message, StartsWith("b.toml:2:9: member 1: email: "));
}

TEST(BadRoster, HostileShapes) {
  std::string dotted = "a";
  for (int i = 0; i < 200'000; ++i) dotted += ".a";
  std::string braces;
  for (int i = 0; i < 2'000; ++i) braces += "{a=";
  expect_errors({
      {dotted + " = 1\n", "1:1: ", "longer than 8192 bytes"},
      {"[" + dotted + "]\n", "1:1: ", "longer than 8192 bytes"},
      {with("") + "# ok\n" + dotted, "5:1: ", "longer than 8192 bytes"},
      {dotted.substr(0, kTomlLineBytesMax - 3) + "=1\n", "1:1: ", "\"a\" is not a known key"},
      {"a=" + std::string(8'000, '[') + "\n", "1:", "depth"},
      {"a=" + braces + "\n", "1:", "depth"},
      {with("tags = [[[[[\"x\"]]]]]"), "3:", "depth"},
  });
}

// The deepest tables that the line limit lets through, stacked as often as nesting allows.
TEST(BadRoster, DeepTablesDoNotExhaustTheStack) {
  std::string path = "a";
  while (path.size() + 20 < kTomlLineBytesMax) path += ".a";
  const std::string text = fmt::format("{0} = [\n{{{0} = [\n{{{0} = 1}}]}}]\n", path);
  EXPECT_THAT(error_of({{"roster.toml", text}}).message, StartsWith("roster.toml:"));
}

// A file that is cut off anywhere inside a line is refused or read as what stands there; it never
// ends the process, and every refusal names the file.
TEST(BadRoster, EveryPrefixIsReadOrRefused) {
  const std::string text =
      "[[member]]\ncommunity_member_id = 42\nname = \"Zo\xc3\xab\"\ntags = [\"a\", 'b']\n"
      "[[member]]\nemail = \"a@b\"\nretired = true\n";
  std::size_t refused = 0;
  for (std::size_t length = 0; length < text.size(); ++length) {
    const std::vector<RosterFile> files{{"roster.toml", text.substr(0, length)}};
    const auto roster = parse_roster(files);
    if (roster) continue;
    ++refused;
    EXPECT_EQ(roster.error().kind, ErrorKind::kConfig);
    EXPECT_THAT(roster.error().message, StartsWith("roster.toml:"));
  }
  EXPECT_GT(refused, text.size() / 2);
}

}  // namespace
}  // namespace rota
