#include "model/member_key.h"

#include <gmock/gmock.h>

#include <array>

namespace rota {
namespace {

using testing::HasSubstr;

TEST(MemberKey, ReadsThePrefixedFormAndWritesItBack) {
  struct Row {
    std::string_view text;
    SelectorKind kind;
    std::string_view value;
  };
  constexpr std::array kRows{
      Row{"id:1", SelectorKind::kCommunityMemberId, "1"},
      Row{"id:42", SelectorKind::kCommunityMemberId, "42"},
      Row{"id:9007199254740992", SelectorKind::kCommunityMemberId, "9007199254740992"},
      Row{"email:grace@example.com", SelectorKind::kEmail, "grace@example.com"},
      Row{"email:Grace+x@Example.COM", SelectorKind::kEmail, "Grace+x@Example.COM"},
      Row{"email:a@b", SelectorKind::kEmail, "a@b"},
      Row{"email:gr\xc3\xa9ta@example.com", SelectorKind::kEmail, "gr\xc3\xa9ta@example.com"},
      Row{"sso:x", SelectorKind::kSsoUserId, "x"},
      Row{"sso:google-oauth2|106228182038999999999", SelectorKind::kSsoUserId,
          "google-oauth2|106228182038999999999"},
      Row{"sso:id:42", SelectorKind::kSsoUserId, "id:42"},
      Row{"sso: with spaces ", SelectorKind::kSsoUserId, " with spaces "},
  };
  for (const Row& row : kRows) {
    const auto key = MemberKey::parse(row.text);
    ASSERT_TRUE(key) << row.text << ": " << key.error().message;
    EXPECT_EQ(key->kind, row.kind) << row.text;
    EXPECT_EQ(key->value, row.value) << row.text;
    EXPECT_EQ(key->text(), row.text);
  }
}

TEST(MemberKey, SaysWhichRuleATextBreaks) {
  struct Row {
    std::string text;
    std::string_view why;
  };
  const std::array rows{
      Row{"", "a member key is"},
      Row{"42", "a member key is"},
      Row{"ID:42", "a member key is"},
      Row{" id:42", "a member key is"},
      Row{"grace@example.com", "a member key is"},
      Row{"sso", "a member key is"},
      Row{"id:", "not a whole number"},
      Row{"id:0", "not a whole number"},
      Row{"id:042", "not a whole number"},
      Row{"id:+42", "not a whole number"},
      Row{"id: 42", "not a whole number"},
      Row{"id:42 ", "not a whole number"},
      Row{"id:4.2", "not a whole number"},
      Row{"id:0x2a", "not a whole number"},
      Row{"id:99999999999999999999", "not a whole number"},
      Row{"id:-1", "between 1 and 2^53"},
      Row{"id:9007199254740993", "between 1 and 2^53"},
      Row{"email:", "email is empty"},
      Row{"email:grace", "NAME@DOMAIN"},
      Row{"email:@example.com", "NAME@DOMAIN"},
      Row{"email:grace@", "NAME@DOMAIN"},
      Row{"email:@", "NAME@DOMAIN"},
      Row{"email:a@b@c", "NAME@DOMAIN"},
      Row{"email:a b@c", "NAME@DOMAIN"},
      Row{"email:a@b\n", "control character"},
      Row{std::string("email:a\0@b", 10), "control character"},
      Row{"email:" + std::string(kMemberKeyBytesMax - 1, 'a') + "@b", "longer than 512"},
      Row{"sso:", "sso_user_id is empty"},
      Row{"sso:a\tb", "control character"},
      Row{"sso:a\x7f", "control character"},
      Row{"sso:a\x1b[31m", "control character"},
      Row{"sso:a\xc2\x9b[31m", "control character"},
      Row{"email:a\xc2\x85@b", "control character"},
      Row{"sso:a\x9b[31m", "not UTF-8"},
      Row{"email:gr\xe9ta@example.com", "not UTF-8"},
      Row{"sso:" + std::string(kMemberKeyBytesMax + 1, 'a'), "longer than 512"},
  };
  for (const Row& row : rows) {
    const auto key = MemberKey::parse(row.text);
    ASSERT_FALSE(key) << row.text;
    EXPECT_EQ(key.error().kind, ErrorKind::kInvalid) << row.text;
    EXPECT_THAT(key.error().message, HasSubstr(row.why)) << row.text;
  }
}

TEST(MemberKey, TakesValuesUpToTheirLimits) {
  EXPECT_TRUE(MemberKey::from_sso(std::string(kMemberKeyBytesMax, 'a')));
  EXPECT_FALSE(MemberKey::from_sso(std::string(kMemberKeyBytesMax + 1, 'a')));
  EXPECT_TRUE(MemberKey::from_email(std::string(kMemberKeyBytesMax - 2, 'a') + "@b"));
  EXPECT_FALSE(MemberKey::from_email(std::string(kMemberKeyBytesMax - 1, 'a') + "@b"));
  EXPECT_TRUE(MemberKey::from_id(1));
  EXPECT_FALSE(MemberKey::from_id(0));
  EXPECT_FALSE(MemberKey::from_id(-1));
  EXPECT_FALSE(MemberKey::from_id(std::numeric_limits<std::int64_t>::min()));
  EXPECT_TRUE(MemberKey::from_id(kCommunityMemberIdMax));
  EXPECT_FALSE(MemberKey::from_id(kCommunityMemberIdMax + 1));
}

TEST(MemberKey, GivesTheIdAsANumber) {
  EXPECT_EQ(MemberKey::from_id(42)->id(), 42);
  EXPECT_EQ(MemberKey::parse("id:9007199254740992")->id(), kCommunityMemberIdMax);
  EXPECT_DEATH(MemberKey::from_sso("42")->id(), "check failed");
}

TEST(MemberKey, IsOneWithAnotherSpellingOfItsAddress) {
  const auto key = [](std::string_view text) { return MemberKey::parse(text).value(); };
  const MemberKey ada = key("email:ada@example.com");
  for (const std::string_view text : {"email:Ada@Example.com", "email:ADA@EXAMPLE.COM"}) {
    const MemberKey other = key(text);
    EXPECT_EQ(other, ada);
    EXPECT_TRUE(std::is_eq(other <=> ada));
    EXPECT_EQ(std::hash<MemberKey>{}(other), std::hash<MemberKey>{}(ada));
    EXPECT_TRUE(same_key_text(text, ada.text()));
    EXPECT_TRUE(same_key_text(text, "email:aDa@example.com"));
    EXPECT_FALSE(other.same_spelling(ada));
    EXPECT_EQ(other.text(), text) << "the spelling stays";
  }
  // What is no ASCII letter is compared as it is, and of SSO ids everything.
  EXPECT_NE(key("email:\xc3\x89va@b"), key("email:\xc3\xa9va@b"));
  EXPECT_NE(key("email:a[@b"), key("email:a{@b"));
  EXPECT_NE(key("sso:A"), key("sso:a"));
  EXPECT_NE(std::hash<MemberKey>{}(key("sso:A")), std::hash<MemberKey>{}(key("sso:a")));
  EXPECT_FALSE(same_key_text("sso:A", "sso:a"));
  EXPECT_FALSE(same_key_text("email:a@b", "email:a@bc"));
  // As long as one can be, and longer, as a damaged database may have it.
  for (const std::size_t bytes : {kMemberKeyBytesMax - 2, 2 * kMemberKeyBytesMax}) {
    const MemberKey upper{SelectorKind::kEmail, std::string(bytes, 'A') + "@b"};
    const MemberKey lower{SelectorKind::kEmail, std::string(bytes, 'a') + "@b"};
    EXPECT_EQ(upper, lower);
    EXPECT_EQ(std::hash<MemberKey>{}(upper), std::hash<MemberKey>{}(lower));
  }
}

TEST(MemberKey, IsOrderedByKindAndValue) {
  EXPECT_EQ(*MemberKey::from_id(7), *MemberKey::from_id_text("7"));
  EXPECT_LT(*MemberKey::from_email("A@b"), *MemberKey::from_email("b@b"));
  EXPECT_LT(*MemberKey::from_email("a@b"), *MemberKey::from_email("B@b"));
  EXPECT_NE(*MemberKey::from_sso("7"), *MemberKey::from_id(7));
  EXPECT_LT(*MemberKey::from_id(7), *MemberKey::from_email("a@b"));
  EXPECT_LT(*MemberKey::from_email("z@z"), *MemberKey::from_sso("a"));
  EXPECT_LT(*MemberKey::from_email("a@b"), *MemberKey::from_email("b@b"));
}

}  // namespace
}  // namespace rota
