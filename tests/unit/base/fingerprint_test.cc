#include "base/fingerprint.h"

#include <gmock/gmock.h>

#include <limits>

namespace rota {
namespace {

TEST(Fingerprint, IsTheHeadOfSha256) {
  // FIPS 180-4 examples and the empty message.
  EXPECT_EQ(format_fingerprint(fingerprint_of("abc")), "ba7816bf8f01cfea");
  EXPECT_EQ(format_fingerprint(fingerprint_of("")), "e3b0c44298fc1c14");
  EXPECT_EQ(format_fingerprint(
                fingerprint_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8");
}

TEST(Fingerprint, FormatsSixteenDigitsAndReadsBack) {
  for (const Fingerprint value : {Fingerprint{0}, Fingerprint{1}, Fingerprint{0x0123456789abcdefU},
                                  std::numeric_limits<Fingerprint>::max()}) {
    const std::string text = format_fingerprint(value);
    EXPECT_EQ(text.size(), 16U);
    EXPECT_EQ(parse_fingerprint(text), value) << text;
  }
  EXPECT_EQ(format_fingerprint(1), "0000000000000001");
  EXPECT_EQ(parse_fingerprint("BA7816BF8F01CFEA"), 0xba7816bf8f01cfeaU);
}

TEST(Fingerprint, RefusesOtherTexts) {
  for (const std::string_view text :
       {"", "0", "ba7816bf8f01cfe", "ba7816bf8f01cfea0", "ba7816bf8f01cfeg", "-a7816bf8f01cfea",
        "+a7816bf8f01cfea", "0xa7816bf8f01cfe", " ba7816bf8f01cfe", "ba7816bf8f01cfe "}) {
    EXPECT_FALSE(parse_fingerprint(text)) << text;
  }
}

}  // namespace
}  // namespace rota
