#include "base/text.h"

#include <gtest/gtest.h>

#include <vector>

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

TEST(NaturalOrder, TakesDigitsForNumbers) {
  // Each before all that follow it.
  const std::vector<std::string_view> sorted{"",
                                             "a",
                                             "email:ada@x",
                                             "email:member2@x",
                                             "email:member10@x",
                                             "id:1",
                                             "id:2",
                                             "id:9",
                                             "id:10",
                                             "id:11",
                                             "id:100",
                                             "id:9007199254740992",
                                             "sso:0",
                                             "sso:00",
                                             "sso:01",
                                             "sso:1",
                                             "sso:1a2",
                                             "sso:1a10",
                                             "sso:a|9",
                                             "sso:a|10",
                                             "\xc3\xa4"};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      EXPECT_EQ(natural_order(sorted[i], sorted[j]), i <=> j) << sorted[i] << " " << sorted[j];
    }
  }
}

}  // namespace
}  // namespace rota
