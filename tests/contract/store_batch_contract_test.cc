// What a store makes of whole batches: their order, all of it or nothing, once or twice, and the
// ids that they use up.

#include <fmt/format.h>

#include <map>
#include <string>

#include "base/random.h"
#include "store_harness.h"

namespace rota {
namespace {

using testing::at;
using testing::Batch;
using testing::describe;
using testing::make_call;
using testing::make_member;
using testing::make_token;

template <class Harness>
class StoreBatchContract : public testing::StoreTest<Harness> {};
TYPED_TEST_SUITE(StoreBatchContract, testing::Harnesses, testing::HarnessNames);

TYPED_TEST(StoreBatchContract, ABatchIsAppliedInItsOrder) {
  const Token token = make_token(1, "one");
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, token}, EraseToken{token.id},
                PutCall{make_call(1)}, EraseCall{CallId{1}}, PutMeta{MetaKey::kLastCircleTimeMs, 9},
                PutMeta{MetaKey::kLastCircleTimeMs, 8}});
  Snapshot found = this->reload();
  EXPECT_TRUE(found.members.at(0).tokens.empty());
  EXPECT_TRUE(found.calls.empty());
  EXPECT_EQ(at(8), found.meta.last_circle_time);

  this->commit({EraseToken{token.id}, PutToken{MemberId{1}, token}});
  EXPECT_EQ(1U, this->reload().members.at(0).tokens.size());

  // Two members become one: the token moves before its old owner goes.
  this->commit(
      {PutMember{make_member(2)}, PutToken{MemberId{2}, token}, ForgetMember{MemberId{1}}});
  found = this->reload();
  ASSERT_EQ(1U, found.members.size());
  EXPECT_EQ(1U, found.members[0].tokens.size());

  // Or after that.
  this->commit(
      {PutMember{make_member(1)}, ForgetMember{MemberId{2}}, PutToken{MemberId{1}, token}});
  found = this->reload();
  ASSERT_EQ(1U, found.members.size());
  EXPECT_EQ(1U, found.members[0].tokens.size());

  // A member that comes back has none of before.
  this->commit({ForgetMember{MemberId{1}}, EraseToken{token.id}, PutMember{make_member(2)}});
  EXPECT_TRUE(this->reload().members.at(0).tokens.empty());
}

TYPED_TEST(StoreBatchContract, ABatchThatFailsLeavesNothingAndCanBeMadeGood) {
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(1, "one")},
                PutCall{make_call(1)}, PutMeta{MetaKey::kLastCircleTimeMs, 5}});
  const std::string before = describe(this->load());

  MemberRecord renamed = make_member(1);
  renamed.selectors[0].name = "Somebody else";
  renamed.selectors[0].tags = {"new"};
  Batch batch{PutMember{renamed},
              PutMember{make_member(2)},
              PutToken{MemberId{2}, make_token(1, "moved")},
              PutToken{MemberId{1}, make_token(2, "two")},
              PutCall{make_call(2)},
              EraseCall{CallId{1}},
              PutMeta{MetaKey::kLastCircleTimeMs, 6},
              EraseToken{TokenId{2}},
              ForgetMember{MemberId{1}},
              PutToken{MemberId{1}, make_token(3, "of a member who has just gone")}};
  EXPECT_EQ(ErrorKind::kInvalid, this->commit_fails(batch));
  EXPECT_EQ(before, describe(this->reload()));

  EXPECT_EQ(ErrorKind::kInvalid, this->commit_fails(batch));  // and no transaction is left open
  batch.pop_back();
  this->commit(batch);
  MemberRecord second = make_member(2);
  second.tokens = {make_token(1, "moved")};
  Snapshot expected;
  expected.members = {second};
  expected.calls = {make_call(2)};
  expected.meta.last_circle_time = at(6);
  expected.next_member = MemberId{3};
  expected.next_token = TokenId{3};
  expected.next_call = CallId{3};
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreBatchContract, ATokenBeforeItsMemberIsRefused) {
  EXPECT_EQ(ErrorKind::kInvalid, this->commit_fails({PutToken{MemberId{1}, make_token(1, "early")},
                                                     PutMember{make_member(1)}}));
  EXPECT_EQ(describe(Snapshot{}), describe(this->reload()));
}

TYPED_TEST(StoreBatchContract, ABatchAppliedTwiceIsABatchAppliedOnce) {
  MemberRecord row = make_member(1);
  row.selectors[0].tags = {"a", "b"};
  this->commit({PutMember{make_member(2)}, PutToken{MemberId{2}, make_token(1, "one")},
                PutToken{MemberId{2}, make_token(2, "two")}, PutCall{make_call(1)}});
  const Batch batch{
      PutMember{row},
      PutToken{MemberId{1}, make_token(1, "one", TokenKind::kAccess, TokenStatus::kRevoking)},
      PutToken{MemberId{1}, make_token(3, "three")},
      EraseToken{TokenId{2}},
      ForgetMember{MemberId{2}},
      PutCall{make_call(2)},
      EraseCall{CallId{1}},
      PutMeta{MetaKey::kEarlyRefreshUseless, 1}};
  this->commit(batch);
  const std::string once = describe(this->reload());
  this->commit(batch);
  EXPECT_EQ(once, describe(this->reload()));
}

TYPED_TEST(StoreBatchContract, IdsAreNeverFreeAgain) {
  this->commit({PutMember{make_member(4)}, PutToken{MemberId{4}, make_token(9, "nine")},
                PutCall{make_call(6)}});
  this->commit({EraseToken{TokenId{9}}, ForgetMember{MemberId{4}}, EraseCall{CallId{6}}});
  Snapshot expected;
  expected.next_member = MemberId{5};
  expected.next_token = TokenId{10};
  expected.next_call = CallId{7};
  EXPECT_EQ(describe(expected), describe(this->reload()));

  // Used and erased in one batch is used as well; a lower id lowers nothing.
  this->commit({PutMember{make_member(2)}, PutToken{MemberId{2}, make_token(20, "x")},
                EraseToken{TokenId{20}}, PutCall{make_call(20)}, EraseCall{CallId{20}},
                PutMember{make_member(21)}, ForgetMember{MemberId{21}}, ForgetMember{MemberId{2}}});
  expected.next_member = MemberId{22};
  expected.next_token = TokenId{21};
  expected.next_call = CallId{21};
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

// A long way of random batches, some of them refused: the store ends up where a second, simple one
// does.
// Before a member goes, its tokens are erased. `owners`: of each token that is there.
void add(Batch& batch, const Mutation& next, std::map<TokenId, MemberId>& owners) {
  if (const auto* put = std::get_if<PutToken>(&next)) owners[put->token.id] = put->member;
  if (const auto* erase = std::get_if<EraseToken>(&next)) owners.erase(erase->token);
  if (const auto* forget = std::get_if<ForgetMember>(&next)) {
    std::erase_if(owners, [&](const auto& owned) {
      const bool goes = owned.second == forget->member;
      if (goes) batch.push_back(EraseToken{owned.first});
      return goes;
    });
  }
  batch.push_back(next);
}

TYPED_TEST(StoreBatchContract, RandomBatchesAgreeWithTheReference) {
  Random random(20240320);
  const auto id = [&random] { return static_cast<std::int64_t>(1 + random.below(8)); };
  const auto mutation = [&]() -> Mutation {
    switch (random.below(8)) {
      case 0:
      case 1: {
        MemberRecord row = make_member(id());
        row.state = static_cast<MemberState>(1 + random.below(6));
        row.selectors[0].tags =
            std::vector<std::string>(random.below(3), fmt::format("tag-{}", random.below(100)));
        for (std::uint64_t client = random.below(3); client > 0; --client) {
          row.selectors[0].enrolments.insert(
              row.selectors[0].enrolments.begin(),
              {.client = fmt::format("client:{}", client),
               .tags = std::vector<std::string>(random.below(3),
                                                fmt::format("tag-{}", random.below(100))),
               .since = at(static_cast<std::int64_t>(random.below(1'000)))});
          row.handles.insert(row.handles.begin(),
                             {.holder = fmt::format("client:{}", client),
                              .number = static_cast<std::uint32_t>(1 + random.below(5))});
        }
        row.login_epoch[random.below(16)] = 1;
        return PutMember{row};
      }
      case 2:
      case 3:
        return PutToken{MemberId{id()}, make_token(id(), fmt::format("token-{}", random.next()))};
      case 4:
        return EraseToken{TokenId{id()}};
      case 5:
        return PutCall{make_call(id(), id())};
      case 6:
        return EraseCall{CallId{id()}};
      default:
        return ForgetMember{MemberId{id()}};
    }
  };

  MemoryStore reference;
  std::map<TokenId, MemberId> owners;
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    const std::map<TokenId, MemberId> before = owners;
    Batch batch;
    for (std::uint64_t left = 1 + random.below(6); left > 0; --left) add(batch, mutation(), owners);
    const bool accepted = reference.commit(batch).has_value();
    refused += accepted ? 0 : 1;
    if (!accepted) owners = before;
    ASSERT_EQ(accepted, this->harness_.store().commit(batch).has_value()) << "round " << round;
    if (round % 50 == 0) this->harness_.reopen();
    ASSERT_EQ(describe(*reference.load()), describe(this->load())) << "round " << round;
  }
  EXPECT_GT(refused, 20);
  EXPECT_LT(refused, 280);
}

}  // namespace
}  // namespace rota
