#include "base/token_digest.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

TEST(TokenDigest, IsTheSha256OfTheText) {
  EXPECT_EQ(format_digest(digest_of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TokenDigest, ReadsWhatItWritesAndNothingElse) {
  const std::string hex = format_digest(digest_of("x"));
  EXPECT_EQ(parse_digest(hex), digest_of("x"));
  std::string upper = hex;
  for (char& c : upper) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  EXPECT_EQ(parse_digest(upper), digest_of("x"));
  EXPECT_EQ(parse_digest(hex.substr(1)), std::nullopt);
  EXPECT_EQ(parse_digest(hex + "0"), std::nullopt);
  EXPECT_EQ(parse_digest("g" + hex.substr(1)), std::nullopt);
  EXPECT_EQ(parse_digest(hex.substr(1) + " "), std::nullopt);
  EXPECT_EQ(parse_digest(""), std::nullopt);
}

TEST(TokenDigest, IsTheSameOnlyIfEveryByteIs) {
  const TokenDigest digest = digest_of("x");
  EXPECT_TRUE(same_in_constant_time(digest, digest_of("x")));
  for (std::size_t i = 0; i < TokenDigest::kBytes; ++i) {
    TokenDigest other = digest;
    other.bytes.at(i) ^= 1U;
    EXPECT_FALSE(same_in_constant_time(digest, other)) << i;
  }
}

}  // namespace
}  // namespace rota
