#include "sqlite/token_opener.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rota {
namespace {

Token token_of(std::int64_t id) {
  Token token;
  token.id = TokenId{id};
  token.kind = id % 2 == 0 ? TokenKind::kAccess : TokenKind::kRefresh;
  return token;
}

std::string value_of(std::int64_t id) { return fmt::format("token {}", id); }

// More than two batches, so that one is opened while the next gathers, and a rest.
TEST(TokenOpener, P10OpensAllInTheirOrderAndNoneThatWasChanged) {
  constexpr std::int64_t kTokens = 10'000;
  constexpr std::int64_t kChangedEach = 7;
  const Sealer sealer = Sealer::create(Secret{std::string(kStoreKeyBytes, 'k')}).value();
  const MemberSalt salt = Sealer::draw_salt();
  const auto owner = std::this_thread::get_id();
  std::int64_t next = 1;
  const auto opened = [&](MemberId member, const Token& token, bool believed) {
    EXPECT_EQ(std::this_thread::get_id(), owner);
    ASSERT_EQ(token.id, TokenId{next});
    EXPECT_EQ(member, MemberId{next / 2});
    EXPECT_EQ(believed, next % kChangedEach != 0) << next;
    if (believed) {
      EXPECT_EQ(token.fingerprint, fingerprint_of(value_of(next)));
      ASSERT_EQ(token.value == nullptr, token.kind == TokenKind::kRefresh) << next;
      if (token.value != nullptr) EXPECT_EQ(token.value->reveal(), value_of(next));
    }
    ++next;
  };
  TokenOpener opener(sealer, SealForm::kThird, TokenOpener::Values::kOfAccessTokens, opened);
  for (std::int64_t id = 1; id <= kTokens; ++id) {
    const MemberId member{id / 2};
    Token token = token_of(id);
    SealedBytes sealed = sealer.seal(Secret{value_of(id)}, binding_of(token, member, salt));
    if (id % kChangedEach == 0) sealed.back() ^= 1U;
    opener.add(member, std::move(token), salt, sealed);
  }
  opener.finish();
  EXPECT_EQ(next, kTokens + 1);
}

TEST(TokenOpener, WithoutTokensThereIsNothingToOpen) {
  const Sealer sealer = Sealer::create(Secret{std::string(kStoreKeyBytes, 'k')}).value();
  TokenOpener opener(sealer, SealForm::kThird, TokenOpener::Values::kAll,
                     [](MemberId, const Token&, bool) { FAIL(); });
  opener.finish();
}

}  // namespace
}  // namespace rota
