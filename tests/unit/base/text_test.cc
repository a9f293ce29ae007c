#include "base/text.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

TEST(Shortened, KeepsWhatFits) {
  EXPECT_EQ(shortened("", 0), "");
  EXPECT_EQ(shortened("abc", 3), "abc");
}

TEST(Shortened, CutsWhatDoesNotAndNoCharacterThrough) {
  EXPECT_EQ(shortened("abcd", 3), "abc…");
  EXPECT_EQ(shortened("aé", 2), "a…");
  EXPECT_EQ(shortened("a€b", 4), "a€…");
  EXPECT_EQ(shortened("€", 2), "…");
}

TEST(InQuotes, ShowsNoMoreThanItMay) {
  EXPECT_EQ(in_quotes("abc"), "\"abc\"");
  const std::string longest(kQuotedBytesMax, 'a');
  EXPECT_EQ(in_quotes(longest), '"' + longest + '"');
  EXPECT_EQ(in_quotes(longest + "bc"), '"' + longest + "…\"");
}

}  // namespace
}  // namespace rota
