#include "base/text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
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

TEST(PlainlyNoSecret, IsWhatNamesAndPathsAreLike) {
  for (const std::string_view plain :
       {"", "www-data", "rota_clients2", "/etc/rota/roster.toml", "../conf.d/10-team.toml", "Grace",
        "UTF-8", "/srv/app2024/x86_64", "4294967296", "systemd-timesync", "zo\xc3\xab"}) {
    EXPECT_TRUE(is_plainly_no_secret(plain)) << plain;
    EXPECT_EQ(in_quotes_unless_secret(plain), in_quotes(plain));
  }
}

TEST(PlainlyNoSecret, P10IsNoKeyAndNoToken) {
  for (const std::string_view secret :
       {"aB3xY9qT", "eyJhbGciOiJSUzI1NiJ9.c2lnbmF0dXJl", "abcdefghijklmno", "ABCDEFGHIJK", "a12345",
        "1a", "12345678901", "/etc/x7Kq9", "name camelCase",
        "0f3a9c7e-5b1d-2846-f0e1-d2c3b4a59687"}) {
    EXPECT_FALSE(is_plainly_no_secret(secret)) << secret;
    EXPECT_EQ(in_quotes_unless_secret(secret), "(not repeated here, since it may be a secret)");
  }
}

TEST(WithoutSecrets, P10KeepsPlainWordsOnly) {
  EXPECT_EQ(without_secrets(""), "");
  EXPECT_EQ(without_secrets("expected '=', saw 'tQ9'"), "expected '=', saw …");
  EXPECT_EQ(without_secrets("expected '=', saw 'Q'"), "expected '=', saw 'Q'");
  EXPECT_EQ(without_secrets("'84716203951' is  too long "), "… is  too long ");
}

TEST(IsUtf8, TakesWhatRfc3629Takes) {
  for (const std::string_view good :
       {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << visible(good);
  }
  for (const std::string_view bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xc2z", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\x9b"}) {
    EXPECT_FALSE(is_utf8(bad)) << visible(bad);
  }
}

TEST(HasControl, SeesC0AndC1AndDelete) {
  for (const std::string_view bad :
       {std::string_view("\0", 1), std::string_view("a\nb"), std::string_view("\x1b[2J"),
        std::string_view("\x7f"), std::string_view("\xc2\x80"), std::string_view("\xc2\x9b"),
        std::string_view("\xc2\x9f"), std::string_view("\x9b")}) {
    EXPECT_TRUE(has_control(bad)) << visible(bad);
  }
  EXPECT_FALSE(has_control("A\xc2\xa0é\xe2\x80\xae~")) << "format characters are none";
}

TEST(Visible, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(visible("Ada é 日本 \xf0\x9f\x98\x80"), "Ada é 日本 \xf0\x9f\x98\x80");
  EXPECT_EQ(visible("a\nb\tc\x1b[31m\x7f"), R"(a\x0ab\x09c\x1b[31m\x7f)");
  EXPECT_EQ(visible("a\nb\tc\x1b", "\n\t"), "a\nb\tc\\x1b");
  EXPECT_EQ(visible("\xc2\x9b"
                    "31m"),
            R"(\x9b31m)");
  EXPECT_EQ(visible("\x9b"
                    "31m\xff"),
            R"(\x9b31m\xff)");
  // Bidirectional and other format characters, and separators of lines.
  EXPECT_EQ(visible("a\xe2\x80\xae"
                    "b\xe2\x81\xa6"
                    "c\xe2\x80\x8b"
                    "d\xef\xbb\xbf"
                    "e\xe2\x80\xa8"
                    "f\xc2\xad"
                    "g\xd8\x9c"),
            R"(a\u202eb\u2066c\u200bd\ufeffe\u2028f\xadg\u061c)");
  EXPECT_EQ(visible("\xf3\xa0\x81\x81"), R"(\udb40\udc41)");
  EXPECT_EQ(visible(""), "");
}

TEST(VisibleJson, KeepsTheMeaning) {
  EXPECT_EQ(visible_json("{\n\t\"name\":\"a\xe2\x80\xae\xc2\x9b\"}\n"),
            "{\n\t\"name\":\"a\\u202e\\u009b\"}\n");
  EXPECT_EQ(visible_json("\"\xff\""), "\"\xef\xbf\xbd\"");
}

TEST(InQuotes, ShowsNoMoreThanItMay) {
  EXPECT_EQ(in_quotes("a\xc2\x9b\xe2\x80\xae\n"), R"("a\x9b\u202e\x0a")");
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

TEST(Counted, OneIsOne) {
  EXPECT_EQ(counted(0, "member", "members"), "0 members");
  EXPECT_EQ(counted(1, "member", "members"), "1 member");
  EXPECT_EQ(counted(2, "member", "members"), "2 members");
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

TEST(Grouped, ByThreeDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(std::size_t{1'000}), "1,000");
  EXPECT_EQ(grouped(std::int64_t{123'456}), "123,456");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
}

}  // namespace
}  // namespace rota
