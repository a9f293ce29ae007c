#include "table/table.h"

#include <gtest/gtest.h>

#include "model/expiry.h"
#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;

Published row(std::int64_t member, std::vector<std::string> keys, std::string_view token = "t") {
  Published published;
  published.member = MemberId{member};
  for (const std::string& key : keys) published.keys.push_back(MemberKey::parse(key).value());
  published.access_token = make_secret(token);
  return published;
}

TEST(Table, FindsAMemberByEveryKeyAndById) {
  Table table;
  EXPECT_EQ(table.find("id:42"), nullptr);
  EXPECT_EQ(table.find(MemberId{1}), nullptr);
  table.publish(row(1, {"id:42", "email:a@b", "sso:x|1"}));
  for (const char* key : {"id:42", "email:a@b", "sso:x|1"}) {
    ASSERT_NE(table.find(key), nullptr) << key;
    EXPECT_EQ(table.find(key)->member, MemberId{1}) << key;
  }
  EXPECT_EQ(table.find("id:4"), nullptr);
  EXPECT_EQ(table.find("42"), nullptr);
  EXPECT_EQ(table.find(MemberId{1}), table.find("id:42"));
  EXPECT_EQ(table.size(), 1U);
}

TEST(Table, PublishReplacesAllOfTheOldRow) {
  Table table;
  table.publish(row(1, {"id:42", "email:a@b"}, "old"));
  table.publish(row(1, {"id:42", "email:c@d"}, "new"));
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.find("email:a@b"), nullptr);
  ASSERT_NE(table.find("email:c@d"), nullptr);
  EXPECT_EQ(table.find("id:42")->access_token->reveal(), "new");
}

TEST(Table, ForgetTakesTheKeysAlong) {
  Table table;
  table.publish(row(1, {"id:42", "email:a@b"}));
  table.publish(row(2, {"id:43"}));
  table.forget(MemberId{1});
  table.forget(MemberId{9});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.find("id:42"), nullptr);
  EXPECT_EQ(table.find("email:a@b"), nullptr);
  EXPECT_NE(table.find("id:43"), nullptr);
}

TEST(Table, AKeyGoesToTheLastMemberPublishedWithItAndStaysThere) {
  Table table;
  table.publish(row(1, {"id:42", "email:a@b"}));
  table.publish(row(2, {"email:a@b"}));
  EXPECT_EQ(table.find("email:a@b")->member, MemberId{2});
  // The first owner has nothing to take back.
  table.forget(MemberId{1});
  ASSERT_NE(table.find("email:a@b"), nullptr);
  EXPECT_EQ(table.find("email:a@b")->member, MemberId{2});
  table.publish(row(3, {"email:a@b"}));
  table.publish(row(2, {"id:7"}));
  EXPECT_EQ(table.find("email:a@b")->member, MemberId{3});
}

TEST(Table, PointersStayValidWhileOthersAreAdded) {
  Table table;
  table.publish(row(1, {"id:1"}, "first"));
  const Published* first = table.find("id:1");
  for (std::int64_t i = 2; i < 2'000; ++i) table.publish(row(i, {fmt::format("id:{}", i)}));
  EXPECT_EQ(table.find("id:1"), first);
  EXPECT_EQ(first->access_token->reveal(), "first");
}

TEST(Table, ATokenIsAliveUntilASecondBeforeItsEnd) {
  EXPECT_TRUE(alive(kT0, kT0 - 1'001ms));
  EXPECT_FALSE(alive(kT0, kT0 - 1'000ms));
  EXPECT_FALSE(alive(kT0, kT0));
}

TEST(TokenBody, IsTheDocumentedJson) {
  Token token = test::access_token(1, "eyJhbGciOi.x-_y");
  token.expires_at = WallTime{Duration{1'710'953'687'274}};
  EXPECT_EQ(
      make_token_body(token, 42, 1)->reveal(),
      R"({"access_token":"eyJhbGciOi.x-_y","access_token_expires_at":"2024-03-20T16:54:47.274Z",)"
      R"("community_member_id":42,"community_id":1})");
}

TEST(TokenBody, QuotesWhatJsonQuotes) {
  Token token = test::access_token(1, "a\"b\\c\nd");
  EXPECT_EQ(make_token_body(token, 9'007'199'254'740'992, 7)->reveal(),
            R"({"access_token":"a\"b\\c\nd","access_token_expires_at":"2024-03-20T17:00:00.000Z",)"
            R"("community_member_id":9007199254740992,"community_id":7})");
}

}  // namespace
}  // namespace rota
