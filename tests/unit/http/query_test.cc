#include "http/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace rota {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(PercentDecode, ResolvesHexDigitsAndLeavesThePlus) {
  EXPECT_EQ(percent_decode("google-oauth2%7C10%7c+%2B%25").value(), "google-oauth2|10|++%");
  EXPECT_EQ(percent_decode("").value(), "");
  EXPECT_EQ(percent_decode("%00").value(), std::string(1, '\0'));
  for (const std::string_view bad : {"%", "%4", "a%", "a%4", "%4g", "%g4", "%%41"}) {
    EXPECT_FALSE(percent_decode(bad)) << bad;
  }
}

TEST(QueryReader, ReadsPairsInOrder) {
  QueryReader reader("&a=1&b&&c=%26=&=d&&");
  const std::pair<std::string_view, std::string_view> wanted[] = {
      {"a", "1"}, {"b", ""}, {"c", "&="}, {"", "d"}};
  for (const auto& [name, value] : wanted) {
    ASSERT_TRUE(reader.next().value());
    EXPECT_EQ(reader.name(), name);
    EXPECT_EQ(reader.value(), value);
  }
  EXPECT_FALSE(reader.next().value());
  EXPECT_FALSE(QueryReader("").next().value());
  EXPECT_FALSE(QueryReader("&").next().value());
}

TEST(TokenQuery, TakesEachSelector) {
  EXPECT_EQ(parse_token_query("community_member_id=42")->member.key.text(), "id:42");
  EXPECT_EQ(parse_token_query("email=ada%2Bx%40example.com")->member.key.text(),
            "email:ada+x@example.com");
  EXPECT_EQ(parse_token_query("email=ada+x@example.com")->member.key.text(),
            "email:ada+x@example.com");
  EXPECT_EQ(parse_token_query("sso_user_id=google-oauth2%7C10")->member.key.text(),
            "sso:google-oauth2|10");
  EXPECT_EQ(parse_token_query("%65mail=a@b")->member.key.text(), "email:a@b");
}

// A form encoder, Python's urlencode() among them, sends a space as "+" and a "+" as "%2B".
TEST(TokenQuery, ReadsAPlusOfAnSsoIdBothWays) {
  const auto member = [](const std::string& value) {
    return parse_token_query("sso_user_id=" + value)->member;
  };
  EXPECT_EQ(member("Ada+Byron").key.value, "Ada+Byron");
  EXPECT_EQ(member("Ada+Byron").as_form->value, "Ada Byron");
  EXPECT_EQ(member("a%2Bb+c").as_form->value, "a+b c");
  EXPECT_EQ(member("a%2Bb").key.value, "a+b");
  EXPECT_EQ(member("a%2Bb").as_form, std::nullopt);
  EXPECT_EQ(member("a%20b").key.value, "a b");
  EXPECT_EQ(parse_token_query("email=a+b@c")->member.as_form, std::nullopt);
  EXPECT_EQ(parse_watch_query("sso_user_id=a+b")->at(0).as_form->value, "a b");
}

TEST(TokenQuery, TakesAnAmpersandTooMany) {
  EXPECT_EQ(parse_token_query("community_member_id=42&")->member.key.text(), "id:42");
  EXPECT_EQ(parse_token_query("&community_member_id=42&&wait=1")->wait, seconds{1});
}

TEST(TokenQuery, HasTheDocumentedDefaults) {
  const auto query = parse_token_query("community_member_id=42");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->min_ttl, std::nullopt);
  EXPECT_EQ(query->wait, seconds{10});
  EXPECT_FALSE(query->strict);
  EXPECT_EQ(query->refused, std::nullopt);
}

TEST(TokenQuery, TakesEveryOption) {
  const auto query = parse_token_query(
      "min_ttl=5m&wait=1500ms&community_member_id=42&strict=true&refused=00ff00ff00ff00ff");
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->min_ttl, std::chrono::minutes{5});
  EXPECT_EQ(query->wait, milliseconds{1500});
  EXPECT_TRUE(query->strict);
  EXPECT_EQ(query->refused, 0x00ff00ff00ff00ffU);
}

TEST(TokenQuery, ReadsDurationsEitherWayAndClampsThem) {
  const std::pair<std::string_view, Duration> waits[] = {
      {"0", seconds{0}},   {"0s", seconds{0}},         {"7", seconds{7}},
      {"60", seconds{60}}, {"61", seconds{60}},        {"59999ms", milliseconds{59'999}},
      {"2m", seconds{60}}, {"4294967295", seconds{60}}};
  for (const auto& [text, wanted] : waits) {
    const auto query = parse_token_query("community_member_id=1&wait=" + std::string(text));
    ASSERT_TRUE(query) << text;
    EXPECT_EQ(query->wait, wanted) << text;
  }
  EXPECT_EQ(parse_token_query("community_member_id=1&min_ttl=4294967295")->min_ttl,
            std::chrono::days{3650});
  EXPECT_EQ(parse_token_query("community_member_id=1&strict=false")->strict, false);
}

TEST(TokenQuery, NamesAMemberWhateverElseIsWrong) {
  for (const char* query :
       {"community_member_id=1", "x=y&email=a@b", "sso_user_id=a&sso_user_id=b",
        "email=a@b&email=", "email=&email=a@b", "min_ttl=x&community_member_id=1"}) {
    EXPECT_TRUE(names_a_member(query)) << query;
  }
  for (const char* query :
       {"", "&", "email", "email=", "community_member_id=x", "member=1", "email=%4", "min_ttl=5"}) {
    EXPECT_FALSE(names_a_member(query)) << query;
  }
}

TEST(TokenQuery, NamesWhatIsWrong) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "community_member_id"},
      {"wait=1", "community_member_id"},
      {"community_member_id=42&email=a@b", "email"},
      {"community_member_id=42&community_member_id=42", "community_member_id"},
      {"community_member_id=", "community_member_id"},
      {"community_member_id=0", "community_member_id"},
      {"community_member_id=042", "community_member_id"},
      {"community_member_id=-1", "community_member_id"},
      {"community_member_id=9007199254740993", "community_member_id"},
      {"email=nobody", "email"},
      {"email=a%00@b", "email"},
      {"email=a%0a@b", "email"},
      {"sso_user_id=", "sso_user_id"},
      {"sso_user_id=" + std::string(513, 'x'), "sso_user_id"},
      {"community_member_id=42&wait=", "wait"},
      {"community_member_id=42&wait=-1", "wait"},
      {"community_member_id=42&wait=+1", "wait"},
      {"community_member_id=42&wait=1.5", "wait"},
      {"community_member_id=42&wait=10x", "wait"},
      {"community_member_id=42&wait=4294967296", "wait"},
      {"community_member_id=42&wait=1&wait=1", "wait"},
      {"community_member_id=42&min_ttl=soon", "min_ttl"},
      {"community_member_id=42&min_ttl=1&min_ttl=2", "min_ttl"},
      {"community_member_id=42&strict", "strict"},
      {"community_member_id=42&strict=1", "strict"},
      {"community_member_id=42&strict=TRUE", "strict"},
      {"community_member_id=42&strict=true&strict=true", "strict"},
      {"community_member_id=42&refused=00ff", "refused"},
      {"community_member_id=42&refused=00ff00ff00ff00fg", "refused"},
      {"community_member_id=42&refused=00ff00ff00ff00ff0", "refused"},
      {"community_member_id=42&refused=00ff00ff00ff00ff&refused=00ff00ff00ff00ff", "refused"},
      {"community_member_id=42&Wait=1", "\"Wait\""},
      {"community_member_id=42&=1", "\"\""},
      {"qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAa=1", "unknown parameter (not repeated here"},
      {"sso_id=1", "sso_user_id"},
      {"sso_user_id=a%C2%9Bb", "control character"},
      {"sso_user_id=a%9Bb", "UTF-8"},
      {"sso_user_id=%C3", "UTF-8"},
      {"community_member_id=42&x=%4", "hex"},
  };
  for (const auto& [text, named] : cases) {
    const auto query = parse_token_query(text);
    ASSERT_FALSE(query) << text;
    EXPECT_EQ(query.error().kind, ErrorKind::kInvalid) << text;
    EXPECT_THAT(query.error().message, HasSubstr(named)) << text;
  }
}

}  // namespace
}  // namespace rota
