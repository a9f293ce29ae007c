#include "api/handle.h"

#include <gtest/gtest.h>

#include <string>

namespace rota {
namespace {

using std::chrono::seconds;

const LoginEpoch kEpoch{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

Secret key_of(char fill) { return Secret(std::string(kHandleKeyBytes, fill)); }

Handle a_handle() {
  return {.community_member_id = 42,
          .community_id = 7,
          .holder = "user:www-data",
          .number = 3,
          .expires_at = WallTime{seconds{1'800'000'000}}};
}

std::string text_of(const Handle& handle) {
  return std::string(make_handle(handle, kEpoch, key_of('k')).reveal());
}

TEST(Handle, IsReadBackAsItWasMade) {
  const std::string text = text_of(a_handle());
  EXPECT_EQ(read_handle(text, kEpoch, key_of('k')), a_handle());
  EXPECT_EQ(claims_of(text), a_handle());
}

TEST(Handle, IsATokenThatFitsAColumnAHeaderAndAUrl) {
  const std::string text = text_of(a_handle());
  EXPECT_LE(text.size(), 128U);
  for (const char c : text) EXPECT_TRUE(std::isalnum(c) != 0 || c == '-' || c == '_') << text;
}

TEST(Handle, CountsItsExpiryInWholeSeconds) {
  Handle handle = a_handle();
  handle.expires_at += std::chrono::milliseconds{999};
  EXPECT_EQ(read_handle(text_of(handle), kEpoch, key_of('k')), a_handle());
}

TEST(Handle, MayHaveAnyHolder) {
  for (const std::string& holder : {std::string{}, std::string("group:\xc3\xa9\"\\ \0x", 12),
                                    std::string(kHolderBytesMax, 'h')}) {
    Handle handle = a_handle();
    handle.holder = holder;
    const std::string text = text_of(handle);
    EXPECT_LE(text.size(), kHandleTextBytesMax);
    EXPECT_EQ(read_handle(text, kEpoch, key_of('k')), handle);
  }
}

TEST(Handle, OfAnotherKeyIsNone) {
  EXPECT_EQ(read_handle(text_of(a_handle()), kEpoch, key_of('l')), std::nullopt);
}

TEST(Handle, OfAnotherEpochIsNone) {
  for (std::size_t i = 0; i < kEpoch.size(); ++i) {
    LoginEpoch other = kEpoch;
    other.at(i) ^= 1U;
    EXPECT_EQ(read_handle(text_of(a_handle()), other, key_of('k')), std::nullopt);
  }
}

// The MAC of one handle under the claims of another one.
TEST(Handle, DoesNotBearAChangeOfAnyField) {
  constexpr std::size_t kMacText = 22;
  const std::string genuine = text_of(a_handle());
  std::vector<Handle> others(5, a_handle());
  others[0].community_member_id = 43;
  others[1].community_id = 8;
  others[2].holder = "user:wwx-data";
  others[3].number = 2;
  others[4].expires_at += seconds{1};
  for (const Handle& other : others) {
    std::string forged = text_of(other);
    EXPECT_NE(forged, genuine);
    ASSERT_EQ(forged.size(), genuine.size());
    forged.replace(forged.size() - kMacText, kMacText, genuine.substr(genuine.size() - kMacText));
    EXPECT_EQ(read_handle(forged, kEpoch, key_of('k')), std::nullopt);
  }
}

TEST(Handle, DoesNotBearAChangeOfAnyByte) {
  const std::string genuine = text_of(a_handle());
  for (std::size_t i = 0; i < genuine.size(); ++i) {
    for (const char c : {'A', 'B', 'z', '0', '-', '_', '=', '.', '\0', '\xff'}) {
      if (c == genuine[i]) continue;
      std::string changed = genuine;
      changed[i] = c;
      EXPECT_EQ(read_handle(changed, kEpoch, key_of('k')), std::nullopt) << i;
    }
    EXPECT_EQ(read_handle(genuine.substr(0, i), kEpoch, key_of('k')), std::nullopt) << i;
  }
  EXPECT_EQ(read_handle(genuine + "A", kEpoch, key_of('k')), std::nullopt);
  EXPECT_EQ(read_handle(genuine + "=", kEpoch, key_of('k')), std::nullopt);
}

// Bytes that are not base64, or not long enough, or too long.
TEST(Handle, IsNothingElse) {
  for (const std::string& text :
       {std::string{}, std::string("rota1_"), std::string("rota1_") + std::string(58, 'A'),
        std::string("rota2_") + text_of(a_handle()).substr(6), std::string(4096, 'A'),
        "rota1_" + std::string(kHandleTextBytesMax, 'A'), "rota1_" + std::string(500, '\0'),
        std::string("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"), std::string("\xff\xfe\0x", 4)}) {
    EXPECT_EQ(claims_of(text), std::nullopt);
    EXPECT_EQ(read_handle(text, kEpoch, key_of('k')), std::nullopt);
  }
}

TEST(Handle, HasAnExpiryThatAClockCanShow) {
  // 28 bytes of numbers, all ones, and an empty MAC.
  const std::string text = "rota1_" + std::string(37, '_') + "w" + std::string(21, 'A');
  EXPECT_EQ(claims_of(text), std::nullopt);
}

TEST(HandleDeathTest, IsNotMadeWithHalfAKey) {
  EXPECT_DEATH(make_handle(a_handle(), kEpoch, Secret("short")), "kHandleKeyBytes");
}

}  // namespace
}  // namespace rota
