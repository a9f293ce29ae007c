#include "http/http_line.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rota {
namespace {

bool may_stand_inside(unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); }

// Lines are searched eight bytes at a time, so each byte stands at each place of eight, after bytes
// at the edges of what is allowed.
TEST(HttpLine, P11FindsEachByteThatMayNotStandInALineWhereverItStands) {
  constexpr std::size_t kLengthMax = 20;
  constexpr int kBytes = 256;
  for (const char filling : {'a', ' ', '~', '\t', '\x80', '\xff'}) {
    for (std::size_t length = 1; length <= kLengthMax; ++length) {
      for (std::size_t at = 0; at < length; ++at) {
        for (int byte = 0; byte < kBytes; ++byte) {
          std::string text(length, filling);
          text[at] = static_cast<char>(byte);
          const std::string bytes = text + "\r\nrest";
          std::string_view rest = bytes;
          std::string_view line;
          const LineTaken taken = take_line(rest, line);
          if (may_stand_inside(static_cast<unsigned char>(byte))) {
            ASSERT_EQ(taken, LineTaken::kWhole) << byte << " at " << at << " of " << length;
            ASSERT_EQ(line, text);
            ASSERT_EQ(rest, "rest");
          } else {
            ASSERT_EQ(taken, LineTaken::kBad) << byte << " at " << at << " of " << length;
            ASSERT_EQ(rest, bytes);
          }
        }
      }
    }
  }
}

TEST(HttpLine, TakesALineThatMayGoOnForPartial) {
  for (const char* text : {"", "a", "GET / HTTP/1.1", "GET / HTTP/1.1\r", "\r"}) {
    std::string_view rest = text;
    std::string_view line;
    EXPECT_EQ(take_line(rest, line), LineTaken::kPartial) << text;
    EXPECT_EQ(rest, text);
  }
}

}  // namespace
}  // namespace rota
