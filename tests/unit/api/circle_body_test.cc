#include "api/circle_body.h"

#include <gtest/gtest.h>

#include <string>

namespace rota {
namespace {

// "email:…", or why there is none.
std::string selector_in(std::string_view body) {
  const SelectorRead read = read_selector(body);
  if (const auto* member = std::get_if<NamedMember>(&read)) {
    return member->key.text() + (member->as_form ? " or " + member->as_form->text() : "");
  }
  if (std::holds_alternative<NoSuchName>(read)) return "no such name";
  return std::holds_alternative<Missing>(read) ? "missing" : "malformed";
}

std::string token_in(std::string_view body, std::string_view field = "refresh_token") {
  const TokenRead read = read_token(body, field);
  if (const auto* token = std::get_if<Secret>(&read)) return std::string(token->reveal());
  if (std::holds_alternative<Missing>(read)) return "missing";
  return std::holds_alternative<WrongType>(read) ? "wrong type" : "no such token";
}

TEST(CircleBody, NamesAMemberByOneOfThreeSelectors) {
  EXPECT_EQ(selector_in(R"({"email":"ada@example.com"})"), "email:ada@example.com");
  EXPECT_EQ(selector_in("\r\n {\"community_member_id\": 42}\n"), "id:42");
  EXPECT_EQ(selector_in(R"({"community_member_id":"42"})"), "id:42");
  EXPECT_EQ(selector_in(R"({"sso_user_id":"google-oauth2|1 2+3"})"), "sso:google-oauth2|1 2+3");
  EXPECT_EQ(selector_in(R"({"sso_user_id":"\u00e9"})"), "sso:\xc3\xa9");
}

TEST(CircleBody, IgnoresFieldsThatSayNothing) {
  EXPECT_EQ(selector_in(R"({"email":"a@b.c","sso_user_id":null,"community_member_id":"","x":[1]})"),
            "email:a@b.c");
}

TEST(CircleBody, TakesNoTwoSelectors) {
  EXPECT_EQ(selector_in(R"({"email":"a@b.c","community_member_id":1})"), "malformed");
  EXPECT_EQ(selector_in("email=a@b.c&sso_user_id=x"), "malformed");
}

TEST(CircleBody, SaysWhatIsMissing) {
  for (const char* body : {"", "  ", "{}", R"({"emial":"a@b.c"})", "emial=a@b.c", "email="}) {
    EXPECT_EQ(selector_in(body), "missing") << body;
  }
}

TEST(CircleBody, KnowsWhatIsNoBody) {
  for (const char* body : {"x", "[]", "{", R"({"email":)", R"({"email":["a@b.c"]})",
                           R"({"community_member_id":1.5})", R"({"email":true})", "\xff"}) {
    EXPECT_EQ(selector_in(body), "malformed") << body;
  }
  EXPECT_EQ(selector_in("{\"x\":" + std::string(100, '[') + std::string(100, ']') + "}"),
            "malformed");
}

TEST(CircleBody, ANameThatBreaksTheRulesLeadsToNobody) {
  for (const char* body : {R"({"email":"ada"})", R"({"community_member_id":0})",
                           R"({"community_member_id":-1})", R"({"community_member_id":"042"})",
                           "email=%00@b.c", "email=%4", R"({"sso_user_id":"a\u0000"})"}) {
    EXPECT_EQ(selector_in(body), "no such name") << body;
  }
}

TEST(CircleBody, ReadsAForm) {
  EXPECT_EQ(selector_in("a=1&email=ada%40example.com&b"), "email:ada@example.com");
  EXPECT_EQ(selector_in("sso_user_id=a+b"), "sso:a+b or sso:a b") << "as in a query";
  EXPECT_EQ(selector_in("community_member_id=42"), "id:42");
  EXPECT_EQ(token_in("refresh_token=rota1_AB-_"), "rota1_AB-_");
  EXPECT_EQ(token_in("refresh_token=a%2Eb"), "a.b");
  EXPECT_EQ(token_in("refresh_token=a%2"), "no such token");
  EXPECT_EQ(token_in("refresh_token=5"), "5");
}

TEST(CircleBody, ReadsAToken) {
  EXPECT_EQ(token_in(R"({"refresh_token":"abc"})"), "abc");
  EXPECT_EQ(token_in(R"({"access_token":"abc"})"), "missing");
  EXPECT_EQ(token_in(R"({"access_token":"a.b.c"})", "access_token"), "a.b.c");
  EXPECT_EQ(token_in(R"({"refresh_token":""})"), "missing") << "as Circle counts it";
  EXPECT_EQ(token_in(R"({"refresh_token":null})"), "missing");
  for (const char* body : {"", "[1]", "{", "x"}) EXPECT_EQ(token_in(body), "missing") << body;
}

TEST(CircleBody, ATokenIsAText) {
  for (const char* value : {"5", "-5", "7.5", "99999999999999999999", "true", "false", "[]",
                            R"(["abc"])", R"({"a":1})"}) {
    EXPECT_EQ(token_in(R"({"refresh_token":)" + std::string(value) + "}"), "wrong type") << value;
  }
  for (const char* value : {"a b", "Bearer abc", " ", R"(a\nb)", R"(\u0000)", R"(\u00e9)"}) {
    EXPECT_EQ(token_in(R"({"refresh_token":")" + std::string(value) + "\"}"), "no such token")
        << value;
  }
}

}  // namespace
}  // namespace rota
