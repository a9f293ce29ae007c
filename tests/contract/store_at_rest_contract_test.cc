// Refresh tokens that only the store has: it hands them out, and keeps their values when the rest
// of their rows changes.

#include <array>
#include <span>

#include "store/load_with_values.h"
#include "store_harness.h"

namespace rota {
namespace {

using testing::at;
using testing::Batch;
using testing::describe;
using testing::make_member;
using testing::make_token;

template <class Harness>
class StoreAtRestContract : public testing::StoreTest<Harness> {
 protected:
  static Token refresh_token(std::int64_t id, std::string_view value) {
    return make_token(id, value, TokenKind::kRefresh);
  }
  static Token without_value(Token token) {
    token.value.reset();
    return token;
  }
};
TYPED_TEST_SUITE(StoreAtRestContract, testing::Harnesses, testing::HarnessNames);

TYPED_TEST(StoreAtRestContract, P10ALoadLeavesOutTheValuesOfRefreshTokens) {
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(5, "access")},
                PutToken{MemberId{1}, this->refresh_token(6, "refresh")}});
  this->harness_.reopen();
  const auto loaded = this->harness_.store().load();
  ASSERT_TRUE(loaded);
  const SlimVector<Token>& tokens = loaded->members.at(0).tokens;
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[0].value->reveal(), "access");
  EXPECT_EQ(tokens[1].value, nullptr);
  EXPECT_EQ(tokens[1].fingerprint, fingerprint_of("refresh"));
}

TYPED_TEST(StoreAtRestContract, P3WhoCarriesTokensElsewhereGetsAllValues) {
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(5, "access")},
                PutToken{MemberId{1}, this->refresh_token(6, "refresh")}, PutMember{make_member(2)},
                PutToken{MemberId{2}, this->refresh_token(7, "other")}});
  this->harness_.reopen();
  const auto loaded = load_with_values(this->harness_.store());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->rows_set_aside, 0);
  std::vector<std::string> values;
  for (const MemberRecord& member : loaded->members) {
    for (const Token& token : member.tokens) values.emplace_back(token.value->reveal());
  }
  EXPECT_EQ(values, (std::vector<std::string>{"access", "refresh", "other"}));
}

TYPED_TEST(StoreAtRestContract, OpensWhatItIsAskedFor) {
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, this->refresh_token(5, "one")},
                PutToken{MemberId{1}, this->refresh_token(6, "two")},
                PutToken{MemberId{1}, make_token(7, "access")}});
  const std::array wanted{TokenId{7}, TokenId{6}, TokenId{99}};
  const auto opened = this->harness_.store().open_tokens(wanted);
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->size(), 3U);
  EXPECT_EQ(opened->at(TokenId{6})->reveal(), "two");
  EXPECT_EQ(opened->at(TokenId{7})->reveal(), "access");
  EXPECT_EQ(opened->at(TokenId{99}), nullptr);
}

TYPED_TEST(StoreAtRestContract, APutWithoutAValueKeepsTheOneOnRecord) {
  const Token first = this->refresh_token(5, "refresh");
  Token later = first;
  later.status = TokenStatus::kRevoking;
  later.status_since = at(77);
  later.expires_at = at(99);
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, first}});
  this->commit({PutToken{MemberId{1}, this->without_value(later)}});
  Snapshot expected;
  expected.members = {make_member(1)};
  expected.members[0].tokens = {later};
  expected.next_member = MemberId{2};
  expected.next_token = TokenId{6};
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreAtRestContract, ATokenMovesWithoutItsValueAndItsMemberIsForgottenBehindThat) {
  const Token token = this->refresh_token(5, "refresh");
  this->commit(
      {PutMember{make_member(1)}, PutMember{make_member(2)}, PutToken{MemberId{2}, token}});
  const Batch merge{PutMember{make_member(1)}, PutToken{MemberId{1}, this->without_value(token)},
                    ForgetMember{MemberId{2}}};
  this->commit(merge);
  this->commit(merge);  // the first time may have looked like a failure
  Snapshot expected;
  expected.members = {make_member(1)};
  expected.members[0].tokens = {token};
  expected.next_member = MemberId{3};
  expected.next_token = TokenId{6};
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreAtRestContract, APutWithoutAValueOfATokenThatTheBatchErasesCanBeRepeated) {
  const Token token = this->refresh_token(5, "refresh");
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, token}});
  const Batch batch{PutToken{MemberId{1}, this->without_value(token)}, EraseToken{TokenId{5}}};
  this->commit(batch);
  this->commit(batch);
  EXPECT_TRUE(this->reload().members.at(0).tokens.empty());
}

TYPED_TEST(StoreAtRestContract, P3APutWithoutAValueOfATokenThatIsGoneIsRefused) {
  const Token token = this->without_value(this->refresh_token(5, "refresh"));
  this->commit({PutMember{make_member(1)}});
  const std::string before = describe(this->load());
  EXPECT_EQ(this->commit_fails({PutToken{MemberId{1}, token}, PutMember{make_member(2)}}),
            ErrorKind::kInvalid);
  EXPECT_EQ(this->commit_fails({PutToken{MemberId{1}, this->refresh_token(5, "refresh")},
                                EraseToken{TokenId{5}}, PutToken{MemberId{1}, token}}),
            ErrorKind::kInvalid)
      << "erased before it, not after";
  EXPECT_EQ(describe(this->reload()), before) << "none is applied";
}

TYPED_TEST(StoreAtRestContract, ATokenThatTheSameBatchPutsAgainOrForgetsIsNotLost) {
  const Token token = this->refresh_token(5, "refresh");
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, this->without_value(token)},
                PutToken{MemberId{1}, token}});
  EXPECT_EQ(this->open(TokenId{5})->reveal(), "refresh");
  this->commit({PutMember{make_member(2)},
                PutToken{MemberId{2}, this->without_value(this->refresh_token(6, "gone"))},
                ForgetMember{MemberId{2}}});
  EXPECT_EQ(this->reload().members.size(), 1U);
}

}  // namespace
}  // namespace rota
