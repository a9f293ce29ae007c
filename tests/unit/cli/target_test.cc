#include "cli/target.h"

#include <gmock/gmock.h>

namespace rota::cli {
namespace {

TEST(PercentEncode, KeepsUnreservedAndEncodesEverythingElse) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b&c=d/e?f#g%h+i"), "a%20b%26c%3Dd%2Fe%3Ff%23g%25h%2Bi");
  EXPECT_EQ(percent_encode("\xc3\xa9"), "%C3%A9");
  EXPECT_EQ(percent_encode(""), "");
}

TEST(TokenTarget, NamesTheMemberByItsOwnParameter) {
  EXPECT_EQ(token_target(*MemberKey::parse("id:42"), {}), "/v1/token?community_member_id=42");
  EXPECT_EQ(token_target(*MemberKey::parse("email:ada+x@example.com"), {}),
            "/v1/token?email=ada%2Bx%40example.com");
  EXPECT_EQ(token_target(*MemberKey::parse("sso:google-oauth2|10&min_ttl=0"), {}),
            "/v1/token?sso_user_id=google-oauth2%7C10%26min_ttl%3D0");
}

TEST(TokenTarget, AddsOnlyWhatWasAskedFor) {
  const TokenQuery query{
      .min_ttl = "5m", .wait = "0", .strict = true, .refused = "00000000000000ff"};
  EXPECT_EQ(token_target(*MemberKey::parse("id:1"), query),
            "/v1/token?community_member_id=1&min_ttl=5m&wait=0&strict=true"
            "&refused=00000000000000ff");
}

TEST(AdminTargets, ArePathsWithEncodedKeys) {
  const auto key = *MemberKey::parse("sso:a/../b");
  EXPECT_EQ(member_target(key, ""), "/v1/members/sso%3Aa%2F..%2Fb");
  EXPECT_EQ(member_target(key, "revoke"), "/v1/members/sso%3Aa%2F..%2Fb/revoke");
  EXPECT_EQ(members_target("", "", "", 500), "/v1/members?limit=500");
  EXPECT_EQ(members_target("active", "enrolled", "id:43", 5),
            "/v1/members?state=active&source=enrolled&after=id%3A43&limit=5");
  EXPECT_EQ(lift_target("client:shop"), "/v1/removals/lift?client=client%3Ashop");
  EXPECT_EQ(lift_target(""), "/v1/removals/lift");
  EXPECT_EQ(reload_target(""), "/v1/roster/reload");
  EXPECT_EQ(reload_target("3f&x"), "/v1/roster/reload?approve=3f%26x");
}

TEST(LooseDuration, IsAUnitOrBareSeconds) {
  EXPECT_EQ(*parse_loose_duration("90"), Duration{90'000});
  EXPECT_EQ(*parse_loose_duration("500ms"), Duration{500});
  EXPECT_EQ(*parse_loose_duration("0"), Duration{0});
  for (const auto* text : {"", "-1", "1.5", "m", "1 s"}) {
    EXPECT_FALSE(parse_loose_duration(text)) << text;
  }
}

}  // namespace
}  // namespace rota::cli
