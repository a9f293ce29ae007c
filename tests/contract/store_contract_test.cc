// What a store keeps of each row, and what it refuses.

#include <fmt/format.h>

#include <limits>
#include <string>

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
class StoreContract : public testing::StoreTest<Harness> {};
TYPED_TEST_SUITE(StoreContract, testing::Harnesses, testing::HarnessNames);

TYPED_TEST(StoreContract, ANewStoreIsEmpty) {
  EXPECT_EQ(describe(Snapshot{}), describe(this->reload()));
}

TYPED_TEST(StoreContract, AnEmptyBatchChangesNothing) {
  this->commit({});
  EXPECT_EQ(describe(Snapshot{}), describe(this->reload()));
}

TYPED_TEST(StoreContract, AMemberComesBackWithAllItsFields) {
  using namespace std::string_literals;
  MemberRecord full = make_member(7);
  full.selectors = {{.key = {SelectorKind::kSsoUserId, "google-oauth2|10'6\"2"},
                     .in_roster = false,
                     .name = "Ada \xc5\x81\0 x"s,
                     .tags = {"support", "", "support", "a b"},
                     .resolved_at = at(7)},
                    {.key = {SelectorKind::kEmail, "grace@example.com"},
                     .in_roster = true,
                     .retired = true,
                     .name = {},
                     .tags = {}},
                    {.key = {SelectorKind::kCommunityMemberId, "42"},
                     .in_roster = true,
                     .retired = false,
                     .name = {},
                     .tags = {"other"}}};
  full.community_member_id = 42;
  full.community_id = std::numeric_limits<std::int64_t>::max();
  full.renew_not_before = at(-5);
  for (std::size_t i = 0; i < full.login_epoch.size(); ++i) {
    full.login_epoch[i] = static_cast<std::uint8_t>(255 - i);
  }
  full.selectors[0].was_in_roster = true;
  full.selectors[0].enrolments = {
      {.client = "group:w'eb", .tags = {}, .since = at(-1)},
      {.client = "user:www-data", .tags = {"", "a b", "web"}, .since = at(9)}};
  full.selectors[2].enrolments = {{.client = "root", .tags = {"x"}, .since = at(0)}};
  full.handles = {{.holder = "client:shop", .number = std::numeric_limits<std::uint32_t>::max()},
                  {.holder = "user:www-data", .number = 1}};
  full.signed_out_at = at(-7);
  MemberRecord bare;
  bare.id = MemberId{3};
  this->commit({PutMember{full}, PutMember{bare}});

  const Snapshot found = this->reload();
  Snapshot expected;
  expected.members = {bare, full};  // in the order of their ids
  expected.next_member = MemberId{8};
  EXPECT_EQ(describe(expected), describe(found));
}

TYPED_TEST(StoreContract, EveryStateComesBack) {
  Snapshot expected;
  Batch batch;
  for (std::int64_t state = 1; state <= 6; ++state) {
    MemberRecord row = make_member(state);
    row.state = static_cast<MemberState>(state);
    expected.members.push_back(row);
    batch.push_back(PutMember{row});
  }
  expected.next_member = MemberId{7};
  this->commit(batch);
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreContract, APutMemberReplacesTheRowAndKeepsItsTokens) {
  MemberRecord row = make_member(1);
  row.selectors[0].tags = {"a", "b", "c"};
  row.selectors.push_back({.key = {SelectorKind::kEmail, "a@example.com"},
                           .name = {},
                           .tags = {"d"},
                           .enrolments = {{.client = "a", .tags = {"e", "f"}, .since = at(1)},
                                          {.client = "b", .tags = {"g"}, .since = at(2)}}});
  row.signed_out_at = at(6);
  row.login_epoch = {7};
  row.handles = {{.holder = "a", .number = 1}, {.holder = "b", .number = 2}};
  row.community_id = 1;
  this->commit({PutMember{row}, PutToken{row.id, make_token(1, "first")}});

  row.selectors = {{.key = {SelectorKind::kEmail, "b@example.com"},
                    .retired = true,
                    .name = {},
                    .tags = {"z"},
                    .enrolments = {{.client = "c", .tags = {}, .since = at(3)}}}};
  row.signed_out_at = {};
  row.login_epoch = {};
  row.handles = {{.holder = "b", .number = 3}};
  row.community_id.reset();
  row.tokens = {make_token(99, "the tokens of the row are ignored")};
  this->commit({PutMember{row}});

  row.tokens = {make_token(1, "first")};
  Snapshot expected;
  expected.members = {row};
  expected.next_member = MemberId{2};
  expected.next_token = TokenId{2};
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreContract, TokensOfEveryKindAndStatusComeBackInTheOrderOfTheirIds) {
  MemberRecord row = make_member(1);
  Batch batch{PutMember{row}};
  std::int64_t id = 0;
  for (const TokenKind kind : {TokenKind::kAccess, TokenKind::kRefresh}) {
    for (const TokenStatus status :
         {TokenStatus::kCurrent, TokenStatus::kSuperseded, TokenStatus::kRevoking}) {
      ++id;
      row.tokens.push_back(make_token(id, fmt::format("token-{}", id), kind, status));
    }
  }
  row.tokens.push_back(make_token(++id, std::string(5'000, 'x')));
  for (const Token& token : row.tokens) batch.insert(batch.begin() + 1, PutToken{row.id, token});
  this->commit(batch);

  Snapshot expected;
  expected.members = {row};
  expected.next_member = MemberId{2};
  expected.next_token = TokenId{id + 1};
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreContract, AFingerprintIsThatOfTheValueWhateverWasPut) {
  Token token = make_token(1, "value");
  token.fingerprint = 12345;
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, token}});
  EXPECT_EQ(fingerprint_of("value"), this->reload().members.at(0).tokens.at(0).fingerprint);
}

TYPED_TEST(StoreContract, APutTokenReplacesAndMovesIt) {
  this->commit({PutMember{make_member(1)}, PutMember{make_member(2)},
                PutToken{MemberId{1}, make_token(1, "old")},
                PutToken{MemberId{1}, make_token(2, "stays")}});
  const Token changed = make_token(1, "new", TokenKind::kRefresh, TokenStatus::kRevoking);
  this->commit({PutToken{MemberId{2}, changed}});

  Snapshot found = this->reload();
  MemberRecord first = make_member(1);
  first.tokens = {make_token(2, "stays")};
  MemberRecord second = make_member(2);
  second.tokens = {changed};
  Snapshot expected;
  expected.members = {first, second};
  expected.next_member = MemberId{3};
  expected.next_token = TokenId{3};
  EXPECT_EQ(describe(expected), describe(found));

  // It went to the second for good: forgetting the first does not take it along.
  this->commit({EraseToken{TokenId{2}}, ForgetMember{MemberId{1}}});
  found = this->reload();
  expected.members = {second};
  EXPECT_EQ(describe(expected), describe(found));
}

TYPED_TEST(StoreContract, AForgottenMemberTakesAllButItsCallsAlong) {
  MemberRecord first = make_member(1);
  first.selectors[0].enrolments = {{.client = "a", .tags = {"b"}, .since = at(1)}};
  first.handles = {{.holder = "a", .number = 1}};
  this->commit({PutMember{first}, PutMember{make_member(2)},
                PutToken{MemberId{1}, make_token(1, "one")},
                PutToken{MemberId{2}, make_token(2, "two")}, PutCall{make_call(1, 1)}});
  this->commit({EraseToken{TokenId{1}}, ForgetMember{MemberId{1}}});

  MemberRecord second = make_member(2);
  second.tokens = {make_token(2, "two")};
  Snapshot expected;
  expected.members = {second};
  expected.calls = {make_call(1, 1)};  // a used slot of the budget stays used
  expected.next_member = MemberId{3};
  expected.next_token = TokenId{3};
  expected.next_call = CallId{2};
  EXPECT_EQ(describe(expected), describe(this->reload()));

  // Who comes back under the same id comes back without them.
  this->commit({PutMember{make_member(1)}});
  expected.members = {make_member(1), second};
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreContract, AnErasedTokenIsGoneAndTheOthersStay) {
  this->commit({PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(1, "one")},
                PutToken{MemberId{1}, make_token(2, "two")},
                PutToken{MemberId{1}, make_token(3, "three")}});
  this->commit({EraseToken{TokenId{2}}});
  const Snapshot found = this->reload();
  const SlimVector<Token>& tokens = found.members.at(0).tokens;
  ASSERT_EQ(2U, tokens.size());
  EXPECT_EQ(TokenId{1}, tokens[0].id);
  EXPECT_EQ(TokenId{3}, tokens[1].id);
}

TYPED_TEST(StoreContract, ErasingWhatIsNotThereIsHarmless) {
  this->commit({EraseToken{TokenId{5}}, EraseCall{CallId{5}}, ForgetMember{MemberId{5}}});
  EXPECT_EQ(describe(Snapshot{}), describe(this->reload()));
}

TYPED_TEST(StoreContract, CallsComeBackWithAllTheirFields) {
  Snapshot expected;
  Batch batch;
  for (std::int64_t id = 1; id <= 4; ++id) {
    CallRow row = make_call(id, 100 + id);  // of members that are not on record
    row.kind = static_cast<CallKind>(id);
    row.fate = static_cast<CallFate>(id);
    if (id > 1) row.closed_at = at(40'000 + id);
    if (row.fate == CallFate::kUnknown) row.doubt_until = at(50'000 + id);
    expected.calls.push_back(row);
    batch.push_back(PutCall{row});
  }
  expected.next_call = CallId{5};
  this->commit(batch);
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreContract, ACallIsClosedByPuttingItAgainAndErasedByItsId) {
  CallRow row = make_call(1);
  this->commit({PutCall{row}, PutCall{make_call(2)}});
  row.fate = CallFate::kUnknown;
  row.closed_at = at(2);
  row.doubt_until = at(3);
  this->commit({PutCall{row}, EraseCall{CallId{2}}});
  Snapshot expected;
  expected.calls = {row};
  expected.next_call = CallId{3};
  EXPECT_EQ(describe(expected), describe(this->reload()));

  row.fate = CallFate::kAnswered;  // the doubt is over: what was set can be unset
  row.doubt_until.reset();
  this->commit({PutCall{row}});
  expected.calls = {row};
  EXPECT_EQ(describe(expected), describe(this->reload()));
}

TYPED_TEST(StoreContract, KeepsWhatTheBootClocksSaid) {
  this->commit({PutMeta{MetaKey::kEarlyProbeAtMs, 3}, PutMeta{MetaKey::kPausedBoot, 4},
                PutMeta{MetaKey::kPausedUntilMs, 5}, PutMeta{MetaKey::kClockBoot, 6},
                PutMeta{MetaKey::kClockOffsetMs, -7}, PutMeta{MetaKey::kCommitBoot, 8},
                PutMeta{MetaKey::kCommitAtMs, 9}, PutMeta{MetaKey::kRosterFingerprint, -1},
                PutMeta{MetaKey::kApprovedRoster, -2}, PutMeta{MetaKey::kHeldClient1, -3},
                PutMeta{MetaKey::kHeldClient2, 4}, PutMeta{MetaKey::kHeldClient3, 5},
                PutMeta{MetaKey::kHeldClient4, 6}});
  const Snapshot after = this->reload();
  EXPECT_EQ(after.meta.early_probe_at, at(3));
  EXPECT_EQ(after.meta.paused_until, (BootStamp{.boot = BootId{4}, .at = BootTime{Duration{5}}}));
  EXPECT_EQ(after.meta.roster, ~Fingerprint{0});
  EXPECT_EQ(after.meta.approved_roster, ~Fingerprint{1});
  EXPECT_EQ(after.meta.held_clients, (HeldClients{~Fingerprint{2}, 4, 5, 6}));
  EXPECT_EQ(after.meta.clock_boot, BootId{6});
  EXPECT_EQ(after.meta.clock_offset, Duration{-7});
  EXPECT_EQ(after.meta.last_commit, (BootStamp{.boot = BootId{8}, .at = BootTime{Duration{9}}}));
}

TYPED_TEST(StoreContract, SingleNumbersAreReplaced) {
  this->commit({PutMeta{MetaKey::kLastCircleTimeMs, 5}, PutMeta{MetaKey::kEarlyRefreshUseless, 1},
                PutMeta{MetaKey::kRefreshRotates, 1}, PutMeta{MetaKey::kClockSkewMs, -90'000}});
  Snapshot found = this->reload();
  EXPECT_EQ(at(5), found.meta.last_circle_time);
  EXPECT_TRUE(found.meta.early_refresh_useless);
  EXPECT_TRUE(found.meta.refresh_rotates);
  EXPECT_EQ(Duration{-90'000}, found.meta.clock_skew);

  this->commit({PutMeta{MetaKey::kLastCircleTimeMs, 7}, PutMeta{MetaKey::kEarlyRefreshUseless, 0}});
  found = this->reload();
  EXPECT_EQ(at(7), found.meta.last_circle_time);
  EXPECT_FALSE(found.meta.early_refresh_useless);
}

TYPED_TEST(StoreContract, WhatCannotBeKeptIsRefused) {
  this->commit({PutMember{make_member(1)}});
  const std::string before = describe(this->load());
  Token without_value = make_token(1, "x");
  without_value.value = nullptr;
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  const auto member_with = [](std::vector<Enrolment> enrolments, std::vector<HandleCount> handles) {
    MemberRecord row = make_member(2);
    row.selectors[0].enrolments = std::move(enrolments);
    row.handles = std::move(handles);
    return PutMember{row};
  };
  const auto by = [](std::string client) {
    return Enrolment{.client = std::move(client), .tags = {}, .since = {}};
  };
  const Batch refused{PutMember{make_member(0)},
                      member_with({by("")}, {}),
                      member_with({by("a"), by("a")}, {}),
                      member_with({by("b"), by("a")}, {}),
                      member_with({}, {{.holder = ""}}),
                      member_with({}, {{.holder = "a"}, {.holder = "a"}}),
                      member_with({}, {{.holder = "b"}, {.holder = "a"}}),
                      PutMember{make_member(-1)},
                      PutMember{make_member(kLast)},
                      PutToken{MemberId{1}, make_token(0, "x")},
                      PutToken{MemberId{1}, make_token(kLast, "x")},
                      PutToken{MemberId{0}, make_token(1, "x")},
                      PutToken{MemberId{1}, without_value},
                      PutCall{make_call(0)},
                      PutCall{make_call(kLast)}};
  for (const Mutation& mutation : refused) {
    SCOPED_TRACE(mutation.index());
    EXPECT_EQ(ErrorKind::kInvalid, this->commit_fails({PutMember{make_member(5)}, mutation}));
  }
  EXPECT_EQ(before, describe(this->reload()));
}

}  // namespace
}  // namespace rota
