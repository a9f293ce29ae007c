// POST /api/v1/headless/access_token/revoke.

#include <sodium.h>

#include "unit/api/circle_box.h"

namespace rota {
namespace {

using test::kRevokeAccess;
using test::kRoot;
using test::kStranger;
using test::Reply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AccessRevocationTest : public test::CircleBox {
 protected:
  AccessRevocationTest() { publish(42, token); }
  void end(OperationEnd end) {
    tokens.operation_done(OperatorReport{.end = end, .revocations = {}});
  }
  std::string body_of(std::string_view access_token) const {
    return R"({"access_token":")" + std::string(access_token) + "\"}";
  }
  std::string token_of(std::int64_t id) {
    constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    const std::string claims = R"({"community_member_id":)" + std::to_string(id) + R"(,"jti":")" +
                               std::to_string(++last_) + "\"}";
    std::string text(sodium_base64_encoded_len(claims.size(), kVariant), '\0');
    sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(claims.data()), claims.size(),
                      kVariant);
    text.pop_back();
    return "eyJhbGciOiJSUzI1NiJ9." + text + ".AAAA";
  }

  int last_ = 0;
  std::string token = token_of(42);
};

TEST_F(AccessRevocationTest, IsDoneAtCircle) {
  on_later = [this] {
    ASSERT_EQ(tokens.operations.size(), 1U);
    EXPECT_EQ(tokens.operations[0].member, MemberId{42});
    EXPECT_EQ(tokens.operations[0].action, OperatorAction::kRevokeToken) << "not a sign-out";
    EXPECT_EQ(tokens.operations[0].token, fingerprint_of(token));
    EXPECT_THAT(tokens.orders(), ElementsAre("token_revoke_asked 42 [id:42] [] by 0"));
    end(OperationEnd::kTokenRevoked);
  };
  EXPECT_EQ(ask(kRevokeAccess, body_of(token), kRoot).status, 204);
}

TEST_F(AccessRevocationTest, OfATokenThatIsNotInForceIsAskedOfTheEngine) {
  const std::string old = token_of(42);
  on_later = [this] { end(OperationEnd::kTokenRevoked); };
  EXPECT_EQ(ask(kRevokeAccess, body_of(old), kRoot).status, 204);
  EXPECT_EQ(tokens.operations.at(0).token, fingerprint_of(old));
  change([](Published& row) { row.drop_token(); });
  EXPECT_EQ(ask(kRevokeAccess, body_of(old), kRoot).status, 204) << "none is in force";
}

TEST_F(AccessRevocationTest, NeedsARightOfItsOwn) {
  EXPECT_EQ(ask(kRevokeAccess, body_of(token)).status, 403);
  EXPECT_THAT(tokens.operations, IsEmpty());
  EXPECT_THAT(tokens.orders(), IsEmpty());
}

TEST_F(AccessRevocationTest, AGrantMayHaveThatRight) {
  policy = AccessPolicy{0,
                        {{.holder = Grant::Holder::kUser,
                          .id = 33,
                          .name = "www-data",
                          .may = {Right::kFetch, Right::kSignOut},
                          .all_members = true,
                          .tags = {},
                          .members = {}}}};
  on_later = [this] { end(OperationEnd::kTokenRevoked); };
  EXPECT_EQ(ask(kRevokeAccess, body_of(token)).status, 204);
}

TEST_F(AccessRevocationTest, AForeignOrDeadTokenIsNotFound) {
  const std::string not_found = "422 token_unknown: The access token not found.";
  EXPECT_EQ(ask(kRevokeAccess, body_of("nonsense"), kRoot).error(),
            "422 token_unknown: The access token is invalid.");
  EXPECT_EQ(ask(kRevokeAccess, body_of(token_of(43)), kRoot).error(), not_found);
  EXPECT_EQ(ask(kRevokeAccess, body_of(token), kStranger).error(), not_found);
  EXPECT_EQ(ask(kRevokeAccess, "{}", kRoot).error(),
            "404 bad_request: Oops! Missing parameter. Please try again later.");
  tokens.set_state(42, MemberState::kRetired);
  EXPECT_EQ(ask(kRevokeAccess, body_of(token), kRoot).error(), not_found) << "it is revoked anyway";
  EXPECT_THAT(tokens.operations, IsEmpty());
  tokens.set_state(42, MemberState::kActive);
  on_later = [this] { end(OperationEnd::kNoSuchToken); };
  EXPECT_EQ(ask(kRevokeAccess, body_of(token_of(42)), kRoot).error(), not_found) << "not on record";
}

TEST_F(AccessRevocationTest, ATokenOfAnotherTypeIsMissing) {
  for (const char* value : {"5", "7.5", "true", "[]", R"({"a":1})", "null", R"("")"}) {
    const Reply reply = ask(kRevokeAccess, R"({"access_token":)" + std::string(value) + "}", kRoot);
    EXPECT_EQ(reply.error(), "404 bad_request: Oops! Missing parameter. Please try again later.");
    EXPECT_EQ(reply.body.at("error_details").at("message").as_string(),
              "Missing parameter: access_token");
  }
  EXPECT_EQ(ask(kRevokeAccess, body_of("Bearer " + token), kRoot).error(),
            "422 token_unknown: The access token is invalid.");
  EXPECT_THAT(tokens.operations, IsEmpty());
}

TEST_F(AccessRevocationTest, OfACommunityThatIsNotEligibleIsCircles403) {
  on_later = [this] { end(OperationEnd::kNotEligible); };
  const Reply reply = ask(kRevokeAccess, body_of(token), kRoot);
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(reply.text("code"), "community_not_eligible");
}

TEST_F(AccessRevocationTest, ThatTakesTooLongIs503) {
  on_later = [this] { end(OperationEnd::kTimedOut); };
  const Reply reply = ask(kRevokeAccess, body_of(token), kRoot);
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.head, HasSubstr("Retry-After: "));
}

}  // namespace
}  // namespace rota
