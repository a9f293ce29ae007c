#include "import/circle_csv.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "roster/roster_limits.h"

namespace rota {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr ImportRules kById{};
constexpr ImportRules kByEmail{.by = SelectorKind::kEmail};
constexpr ImportRules kBySso{.by = SelectorKind::kSsoUserId};
constexpr ImportRules kWithTags{.tags = true};

std::vector<ListedMember> members(std::string_view text, const ImportRules& rules) {
  auto read = read_circle_csv("m.csv", text, rules);
  if (read) return *std::move(read);
  ADD_FAILURE() << read.error().message;
  return {};
}

TEST(CircleCsv, FindsColumnsByName) {
  for (const char* head : {"Community member ID,Email,SSO user ID,Name,Active,Member tags,Company",
                           "\xef\xbb\xbf"
                           "community_member_id,email,sso_user_id,name,active,member_tags,company",
                           "MEMBER-ID,Email Address,SSO ID,Full name,ACTIVE,tags,user id"}) {
    const std::string text =
        fmt::format("{}\r\n42,Grace@X.org,a|b,Grace,TRUE,\"vip, web\",7\r\n", head);
    for (const ImportRules& rules : {kById, kByEmail, kBySso, kWithTags}) {
      const auto read = members(text, rules);
      ASSERT_EQ(read.size(), 1U) << head;
      EXPECT_EQ(read[0].entry.name, "Grace");
      EXPECT_FALSE(read[0].entry.retired);
      EXPECT_EQ(read[0].place, 2U);
    }
    EXPECT_EQ(members(text, kById)[0].entry.key.text(), "id:42");
    EXPECT_EQ(members(text, kByEmail)[0].entry.key.text(), "email:Grace@X.org");
    EXPECT_EQ(members(text, kBySso)[0].entry.key.text(), "sso:a|b");
    EXPECT_THAT(members(text, kWithTags)[0].entry.tags, ElementsAre("circle:vip", "circle:web"));
    EXPECT_THAT(members(text, kById)[0].entry.tags, ElementsAre());
  }
}

TEST(CircleCsv, JoinsNamesAndRetires) {
  const auto read = members(
      "Last name,Email,First name,Active\nHopper,g@x,Grace,false\n,a@x,Ada,true\n,b@x,,true\n\n\n",
      kByEmail);
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].entry.name, "Grace Hopper");
  EXPECT_TRUE(read[0].entry.retired);
  EXPECT_EQ(read[1].entry.name, "Ada");
  EXPECT_FALSE(read[1].entry.retired);
  EXPECT_EQ(read[2].entry.name, "");
}

TEST(CircleCsv, MakesNamesFit) {
  const std::string long_name(kMemberNameBytesMax, 'x');
  struct Row {
    std::string name;
    std::string fits;
  };
  for (const Row& row : std::vector<Row>{
           {"  Ada \r\n\t Lovelace ", "Ada Lovelace"},
           {"a\x7f\x1b[31mb", "a [31mb"},
           {"a\xc2\x85\xc2\x9f"
            "b\xc2\xa1",
            "a b\xc2\xa1"},
           {long_name, long_name},
           {long_name + "y", std::string(kMemberNameBytesMax - 3, 'x') + "…"},
           {"\n", ""},
           {"Zoë ⚙", "Zoë ⚙"},
       }) {
    EXPECT_EQ(members(fmt::format("Email,Name\na@x,\"{}\"\n", row.name), kByEmail)[0].entry.name,
              row.fits);
  }
}

TEST(CircleCsv, P6TakesNoListWithABrokenRow) {
  struct Row {
    std::string text;
    const ImportRules& rules;
    std::string at;
    std::string why;
  };
  const std::string many = [] {
    std::string tags;
    for (std::size_t i = 0; i <= kMemberTagsMax; ++i) tags += fmt::format("{}t{}", i ? "," : "", i);
    return tags;
  }();
  for (const Row& row : std::vector<Row>{
           {"", kById, "1: ", "empty"},
           {"\xef\xbb\xbf", kById, "1: ", "empty"},
           {"hunter2x\n", kById, "1: ", "no column Community member ID"},
           {"Email\nhunter2x\n", kById, "1: ", "--by email"},
           {"ID,User ID\n42,hunter2x\n", kById, "1: ", "no column Community member ID"},
           {"Member ID\n42\n", kByEmail, "1: ", "no column Email"},
           {"Email\na@x\n", kBySso, "1: ", "no column SSO user ID"},
           {"Member ID\n42\n", kWithTags, "1: ", "no column Member tags"},
           {"Member ID;hunter2x\n42;a@x\n", kById, "1: ", "separated by commas"},
           {"Email,hunter2x,email address\na@x,,b@x\n", kByEmail,
            "1: ", "columns 1 and 3 are both"},
           {"Email,Name,NAME\na@x,,\n", kByEmail, "1: ", "columns 2 and 3 are both"},
           {"Email,Name\na@x\n", kByEmail, "2: ", "has 1 column, the first row has 2"},
           {"Email,Name\na@x,hunter2x,\n", kByEmail, "2: ", "has 3 columns, the first row has 2"},
           {"Email\na@x\n\nb@x\n", kByEmail, "3: ", "empty line"},
           {"Email,Name\n,hunter2x\n", kByEmail, "2: ", "column 1 (Email): is empty"},
           {"Name,Email\n\"a\nb\",a@x\n,hunter2x\n", kByEmail,
            "4: ", "column 2 (Email): is no add"},
           {"Email\na@x \n", kByEmail, "2: ", "column 1 (Email)"},
           {"Email\n\"a@x\ny\"\n", kByEmail, "2: ", "column 1 (Email)"},
           {"Email\n" + std::string(kMemberKeyBytesMax, 'a') + "@x\n", kByEmail, "2: ", "Email"},
           {"SSO ID\n\"hunter2x\n\"\n", kBySso, "2: ", "column 1 (SSO user ID)"},
           {"Member ID\n042\n", kById, "2: ", "no whole number"},
           {"Member ID\n-1\n", kById, "2: ", "no whole number"},
           {"Member ID\n1.5\n", kById, "2: ", "no whole number"},
           {"Member ID\n9007199254740993\n", kById, "2: ", "no whole number"},
           {"Member ID\nhunter2x\n", kById, "2: ", "no whole number"},
           {"Member ID,Active\n1,true\n2,hunter2x\n", kById, "3: ", "column 2 (Active)"},
           {"Member ID,Active\n1,\n", kById, "2: ", "neither true nor false"},
           {"Member ID,Tags\n1,\"hunter2x,,b\"\n", kWithTags, "2: ", "without a name"},
           {"Member ID,Tags\n1,\"hunter2x,\"\n", kWithTags, "2: ", "without a name"},
           {"Member ID,Tags\n1,\"hunter2x\x1b\"\n", kWithTags, "2: ", "control character"},
           {"Member ID,Tags\n1," + std::string(58, 't') + "\n", kWithTags, "2: ", "more than 57"},
           {"Member ID,Tags\n1,\"" + many + "\"\n", kWithTags, "2: ", "more than 64 tags"},
           {"Member ID,Name\n1,hunter2x\xe4\n", kById, "2: ", "UTF-8"},
           {"Member ID,Name\n1,hunter2x\0\n"s, kById, "2: ", "NUL"},
           {"Member ID,Name\n1,Ada\n2,hunter2x", kById, "3: ", "cut off"},
           {"Member ID,Name\n1,Ada\n2,\"hunter2x\n", kById, "3: ", "cut off"},
       }) {
    const auto read = read_circle_csv("m.csv", row.text, row.rules);
    ASSERT_FALSE(read) << row.text;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(read.error().message, StartsWith("m.csv:" + row.at)) << row.text;
    EXPECT_THAT(read.error().message, HasSubstr(row.why)) << row.text;
    EXPECT_THAT(read.error().message, Not(HasSubstr("hunter2x"))) << row.text;
    EXPECT_THAT(read.error().message, Not(HasSubstr("\n"))) << row.text;
  }
  EXPECT_EQ(members("Member ID,Tags\n1," + std::string(57, 't') + "\n", kWithTags).size(), 1U);
  EXPECT_EQ(members("Member ID,Tags\n1,\n", kWithTags).size(), 1U);
}

}  // namespace
}  // namespace rota
