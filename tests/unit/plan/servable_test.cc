#include "plan/servable.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

TEST(Servable, P4OnlyAnActiveMembersTokenIsServed) {
  MemberRecord record = test::member_with_pair();
  ASSERT_NE(servable(record), nullptr);
  EXPECT_EQ(servable(record)->kind, TokenKind::kAccess);
  for (const MemberState state :
       {MemberState::kRetiring, MemberState::kRetired, MemberState::kBlocked, MemberState::kUnknown,
        MemberState::kMismatched}) {
    record.state = state;
    EXPECT_EQ(servable(record), nullptr) << name_of(state);
  }
}

TEST(Servable, P13NothingBeforeEachNameIsKnownToLeadToTheMember) {
  MemberRecord record = test::member_with_pair();
  record.selectors.push_back(test::selector("sso:grace"));
  EXPECT_NE(servable(record), nullptr);
  record.selectors.back().resolved_at = {};
  EXPECT_EQ(servable(record), nullptr);
}

TEST(Servable, OnlyACurrentAccessTokenCounts) {
  MemberRecord record = test::member_with_pair();
  for (Token& token : record.tokens) {
    if (token.kind == TokenKind::kAccess) token.status = TokenStatus::kSuperseded;
  }
  EXPECT_EQ(servable(record), nullptr);
  record.tokens.clear();
  EXPECT_EQ(servable(record), nullptr);
}

}  // namespace
}  // namespace rota
