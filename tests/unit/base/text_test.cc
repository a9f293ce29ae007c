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

TEST(ShellWord, IsOneWordWhateverIsInIt) {
  EXPECT_EQ(shell_word("/etc/rota/rotad.toml"), "/etc/rota/rotad.toml");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("$HOME`id`;x"), "'$HOME`id`;x'");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_word("~root"), "'~root'");
}

}  // namespace
}  // namespace rota
