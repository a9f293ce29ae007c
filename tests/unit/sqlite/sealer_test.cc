#include "sqlite/sealer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <functional>
#include <set>
#include <string>

namespace rota {
namespace {

constexpr std::string_view kToken = "eyJhbGciOiJIUzI1NiJ9.a-token-of-circle";
constexpr TokenBinding kPlace{.token = TokenId{5},
                              .member = MemberId{7},
                              .kind = TokenKind::kAccess,
                              .status = TokenStatus::kCurrent,
                              .issued_at = WallTime{Duration{1'000}},
                              .expires_at = WallTime{Duration{2'000}},
                              .status_since = WallTime{Duration{1'500}},
                              .salt = {1}};

Sealer make_sealer(char byte = 'k') {
  return *Sealer::create(Secret(std::string(kStoreKeyBytes, byte)));
}

TEST(Sealer, P10OpensWhatItSealed) {
  const Sealer sealer = make_sealer();
  for (const std::string& text :
       {std::string(kToken), std::string(), std::string(100'000, 'x'), std::string("\0\xff", 2)}) {
    const std::optional<Secret> opened = sealer.open(sealer.seal(Secret(text), kPlace), kPlace);
    ASSERT_TRUE(opened);
    EXPECT_EQ(text, opened->reveal());
  }
}

TEST(Sealer, P10AnotherSealerOfTheSameKeyOpensIt) {
  const SealedBytes sealed = make_sealer().seal(Secret(kToken), kPlace);
  const std::optional<Secret> opened = make_sealer().open(sealed, kPlace);
  ASSERT_TRUE(opened);
  EXPECT_EQ(kToken, opened->reveal());
}

TEST(Sealer, P10AMovedSealerStillOpens) {
  Sealer first = make_sealer();
  const SealedBytes sealed = first.seal(Secret(kToken), kPlace);
  const Sealer second = std::move(first);
  EXPECT_TRUE(second.open(sealed, kPlace));
}

TEST(Sealer, P10OpensInItsOwnPlaceOnly) {
  const Sealer sealer = make_sealer();
  const SealedBytes sealed = sealer.seal(Secret(kToken), kPlace);
  const auto elsewhere = [](auto member, auto value) {
    TokenBinding place = kPlace;
    place.*member = value;
    return place;
  };
  const TokenBinding others[] = {
      elsewhere(&TokenBinding::token, TokenId{6}),
      elsewhere(&TokenBinding::member, MemberId{8}),
      elsewhere(&TokenBinding::kind, TokenKind::kRefresh),
      elsewhere(&TokenBinding::status, TokenStatus::kSuperseded),
      elsewhere(&TokenBinding::issued_at, WallTime{Duration{1'001}}),
      elsewhere(&TokenBinding::expires_at, WallTime{Duration{2'001}}),
      elsewhere(&TokenBinding::status_since, WallTime{Duration{1'501}}),
      elsewhere(&TokenBinding::salt, MemberSalt{2}),
      // Only the highest byte of an id differs.
      elsewhere(&TokenBinding::token, TokenId{5 + (std::int64_t{1} << 56)}),
  };
  for (const TokenBinding& other : others) EXPECT_FALSE(sealer.open(sealed, other));
  EXPECT_FALSE(sealer.open(sealed, kPlace, SealForm::kFirst)) << "an older form is not guessed at";
  EXPECT_TRUE(sealer.open(sealed, kPlace, SealForm::kThird)) << "in which tokens are the same";
}

constexpr MemberSalt kSalt{3};

// A record with something of each kind in it.
MemberRecord make_record() {
  MemberRecord record;
  record.id = MemberId{7};
  record.state_since = WallTime{Duration{10}};
  record.renew_not_before = WallTime{Duration{20}};
  record.community_member_id = 30;
  record.selectors = {
      {.key = *MemberKey::from_id(30),
       .in_roster = true,
       .name = "",
       .tags = {"ab", "c"},
       .enrolments = {}},
      {.key = *MemberKey::from_id(31),
       .was_in_roster = true,
       .name = "Ada",
       .tags = {},
       .enrolments = {
           {.client = "group:web", .tags = {}, .since = {}},
           {.client = "user:web", .tags = {"x", "y"}, .since = WallTime{Duration{40}}}}}};
  record.login_epoch = {1, 2};
  record.handles = {{.holder = "user:web", .number = 50}};
  return record;
}

TEST(Sealer, P10AMembersSealHoldsEveryFieldButItsLastUse) {
  const Sealer sealer = make_sealer();
  const MemberSeal seal = sealer.seal(make_record(), kSalt);
  EXPECT_TRUE(make_sealer().holds(seal, make_record(), kSalt));
  EXPECT_FALSE(make_sealer('b').holds(seal, make_record(), kSalt));
  EXPECT_FALSE(sealer.holds({}, make_record(), kSalt));

  EXPECT_FALSE(sealer.holds(seal, make_record(), MemberSalt{4}));
  EXPECT_NE(Sealer::draw_salt(), Sealer::draw_salt());

  MemberRecord used = make_record();
  used.last_used = WallTime{Duration{99}};
  EXPECT_TRUE(sealer.holds(seal, used, kSalt));

  const std::function<void(MemberRecord&)> changes[] = {
      [](MemberRecord& r) { r.id = MemberId{8}; },
      [](MemberRecord& r) { r.state = MemberState::kBlocked; },
      [](MemberRecord& r) { r.state_since += Duration{1}; },
      [](MemberRecord& r) { r.renew_not_before += Duration{1}; },
      [](MemberRecord& r) { r.selectors[0].resolved_at += Duration{1}; },
      [](MemberRecord& r) { r.community_member_id = 31; },
      [](MemberRecord& r) { r.community_member_id = std::nullopt; },
      [](MemberRecord& r) { r.community_id = 0; },
      [](MemberRecord& r) { r.selectors.pop_back(); },
      [](MemberRecord& r) { std::swap(r.selectors[0], r.selectors[1]); },
      [](MemberRecord& r) { r.selectors[0].key = *MemberKey::from_id(32); },
      [](MemberRecord& r) { r.selectors[0].in_roster = false; },
      [](MemberRecord& r) { r.selectors[0].retired = true; },
      [](MemberRecord& r) { r.selectors[1].name = "Eve"; },
      [](MemberRecord& r) { r.selectors[0].tags = {"a", "bc"}; },
      [](MemberRecord& r) { r.selectors[0].tags = {"ab"}; },
      [](MemberRecord& r) { r.selectors[1].tags = {"ab"}; },
      [](MemberRecord& r) { r.selectors[1].was_in_roster = false; },
      [](MemberRecord& r) { r.selectors[1].enrolments.pop_back(); },
      [](MemberRecord& r) { r.selectors[0].enrolments = r.selectors[1].enrolments; },
      [](MemberRecord& r) { std::swap(r.selectors[0].enrolments, r.selectors[1].enrolments); },
      [](MemberRecord& r) { r.selectors[1].enrolments[0].client = "root"; },
      [](MemberRecord& r) { r.selectors[1].enrolments[0].since += Duration{1}; },
      [](MemberRecord& r) { r.selectors[1].enrolments[0].tags = {"x"}; },
      [](MemberRecord& r) { r.selectors[1].enrolments[1].tags = {"xy"}; },
      [](MemberRecord& r) { r.selectors[1].enrolments[1].tags.pop_back(); },
      [](MemberRecord& r) { r.signed_out_at += Duration{1}; },
      [](MemberRecord& r) { r.login_epoch[15] = 1; },
      [](MemberRecord& r) { r.handles.clear(); },
      [](MemberRecord& r) { r.handles[0].holder = "root"; },
      [](MemberRecord& r) { r.handles[0].number = 51; },
  };
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    MemberRecord changed = make_record();
    changes[i](changed);
    EXPECT_FALSE(sealer.holds(seal, changed, kSalt)) << "change " << i;
  }
}

TEST(Sealer, P10EveryChangedBitAndEveryCutIsNoticed) {
  const Sealer sealer = make_sealer();
  const SealedBytes sealed = sealer.seal(Secret(kToken), kPlace);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    SealedBytes changed = sealed;
    changed[bit / 8] ^= static_cast<unsigned char>(1U << (bit % 8));
    EXPECT_FALSE(sealer.open(changed, kPlace)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(sealer.open(std::span(sealed).first(size), kPlace)) << "size " << size;
  }
  SealedBytes longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(sealer.open(longer, kPlace));
}

TEST(Sealer, P10SealedBytesNeverRepeatAndShowNothing) {
  const Sealer sealer = make_sealer();
  std::set<SealedBytes> seen;
  for (int i = 0; i < 100; ++i) {
    const SealedBytes sealed = sealer.seal(Secret(kToken), kPlace);
    EXPECT_TRUE(seen.insert(sealed).second);
    const std::string_view bytes{reinterpret_cast<const char*>(sealed.data()), sealed.size()};
    EXPECT_EQ(std::string_view::npos, bytes.find(kToken.substr(0, 8)));
  }
}

TEST(Sealer, P10AnotherKeyHasAnotherIdAndOpensNothing) {
  const Sealer ours = make_sealer('a');
  const Sealer theirs = make_sealer('b');
  EXPECT_EQ(ours.key_id(), make_sealer('a').key_id());
  EXPECT_NE(ours.key_id(), theirs.key_id());
  EXPECT_NE((KeyId{'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'}), ours.key_id());
  EXPECT_FALSE(theirs.open(ours.seal(Secret(kToken), kPlace), kPlace));
}

TEST(Sealer, P10TheKeyCheckOpensWithItsKeyAndIsNoToken) {
  const Sealer ours = make_sealer('a');
  const SealedBytes check = ours.seal_key_check();
  EXPECT_EQ(SealForm::kFourth, ours.form_of_key_check(check));
  EXPECT_EQ(SealForm::kThird, ours.form_of_key_check(ours.seal_key_check(SealForm::kThird)));
  EXPECT_EQ(SealForm::kSecond, ours.form_of_key_check(ours.seal_key_check(SealForm::kSecond)));
  EXPECT_EQ(SealForm::kFirst, ours.form_of_key_check(ours.seal_key_check(SealForm::kFirst)));
  EXPECT_EQ(std::nullopt, make_sealer('b').form_of_key_check(check));
  EXPECT_FALSE(ours.open(check, kPlace));
  EXPECT_EQ(std::nullopt, ours.form_of_key_check(ours.seal(Secret("rota"), kPlace)));
}

TEST(Sealer, P10WantsAKeyOf32Bytes) {
  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    const Result<Sealer> made = Sealer::create(Secret(std::string(size, 'k')));
    ASSERT_FALSE(made) << size;
    EXPECT_EQ(ErrorKind::kInvalid, made.error().kind);
  }
}

TEST(Sealer, P10WorksWhereNoMemoryMayBeLocked) {
  rlimit before{};
  ASSERT_EQ(0, getrlimit(RLIMIT_MEMLOCK, &before));
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &none));
  Result<Sealer> sealer = Sealer::create(Secret(std::string(kStoreKeyBytes, 'k')));
  ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &before));
  ASSERT_TRUE(sealer);
  EXPECT_TRUE(sealer->open(sealer->seal(Secret(kToken), kPlace), kPlace));
}

TEST(StoreKey, P10TheTextThatIsGeneratedIsRead) {
  const Result<Secret> text = generate_store_key();
  ASSERT_TRUE(text);
  EXPECT_EQ(64U, text->size());
  EXPECT_EQ(std::string_view::npos, text->reveal().find_first_not_of("0123456789abcdef"));
  const Result<Secret> key = parse_store_key(text->reveal());
  ASSERT_TRUE(key);
  EXPECT_EQ(kStoreKeyBytes, key->size());
  EXPECT_FALSE(*text == *generate_store_key());
}

TEST(StoreKey, P10IsReadByteByByte) {
  const std::string digits = "00ff10" + std::string(56, '0') + "a5";
  const Result<Secret> key = parse_store_key(digits);
  ASSERT_TRUE(key);
  std::string expected(kStoreKeyBytes, '\0');
  expected[1] = '\xff';
  expected[2] = '\x10';
  expected[31] = '\xa5';
  EXPECT_EQ(expected, key->reveal());
}

TEST(StoreKey, P10AllowsTheNewlineOfAFileAndUpperCase) {
  EXPECT_TRUE(*parse_store_key(" \t" + std::string(64, 'A') + "\r\n") ==
              *parse_store_key(std::string(64, 'a')));
}

TEST(StoreKey, P10RefusesAllElseWithoutQuotingIt) {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string(63, 'a'), std::string(65, 'a'),
        std::string(62, 'a'), std::string(66, 'a'), std::string(63, 'a') + "g",
        std::string(32, 'a') + " " + std::string(31, 'a'),
        std::string(32, 'a') + "\n" + std::string(32, 'a'), "0x" + std::string(62, 'a')}) {
    const Result<Secret> key = parse_store_key(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(ErrorKind::kConfig, key.error().kind);
    EXPECT_EQ(std::string::npos, key.error().message.find("aaaa"));
  }
}

}  // namespace
}  // namespace rota
