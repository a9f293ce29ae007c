#include "settings/toml.h"

#include <gmock/gmock.h>

#include "roster/roster_limits.h"

namespace rota {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Toml, CountsLinesFromTheOrigin) {
  const auto document = TomlDocument::parse({.file = "f", .first_line = 100}, "a = 1\nb = 2\n");
  ASSERT_TRUE(document) << document.error().message;
  const TomlTable root = document->root();
  const auto values = root.values();
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[1].line(), 101U);
  EXPECT_THAT(values[1].error("no").error().message, StartsWith("f:101:5: b: no"));
  const auto broken = TomlDocument::parse({.file = "f", .first_line = 100}, "a = 1\nb = \n");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, StartsWith("f:101:"));
}

TEST(Toml, GivesValuesInTheOrderOfTheText) {
  const auto document = TomlDocument::parse({.file = "f"}, "z = 1\na = 2\nm = 3\n");
  ASSERT_TRUE(document);
  const TomlTable root = document->root();
  std::string keys;
  for (const TomlValue& value : root.values()) keys += value.key();
  EXPECT_EQ(keys, "zam");
  EXPECT_TRUE(root.has("a"));
  EXPECT_FALSE(root.has("b"));
}

TEST(Toml, TakesLinesUpToTheLimit) {
  std::string text = "a = \"" + std::string(kTomlLineBytesMax - 6, 'x') + "\"";
  ASSERT_EQ(text.size(), kTomlLineBytesMax);
  EXPECT_TRUE(TomlDocument::parse({.file = "f"}, text));
  EXPECT_TRUE(TomlDocument::parse({.file = "f"}, text + "\n"));
  text.insert(5, "x");
  const auto longer = TomlDocument::parse({.file = "f"}, "\n" + text);
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().message, StartsWith("f:2:1: the line is longer than 8192 bytes"));
}

TEST(Toml, MessagesAreShortWhateverTheyQuote) {
  const auto document = TomlDocument::parse({.file = "f"}, "a = 1");
  ASSERT_TRUE(document);
  const Error error = document->root().values().front().error(std::string(5'000, 'x')).error();
  EXPECT_LT(error.message.size(), 1'100U);
  EXPECT_THAT(error.message, ::testing::EndsWith("x…"));
}

TEST(Toml, MessagesAreOneLineWhateverTheFileIsCalled) {
  const auto document = TomlDocument::parse({.file = "a\nb\x1b"}, "=");
  ASSERT_FALSE(document);
  EXPECT_THAT(document.error().message, StartsWith("a?b?:1:1: "));
}

TEST(Toml, SuggestsOnlyWhatIsNear) {
  const auto suggestion = [](std::string_view key) {
    const auto document = TomlDocument::parse({.file = "f"}, std::string(key) + " = 1\n");
    const TomlTable root = document->root();
    const std::vector<std::string_view> known{"watch", "path", "window"};
    return root.values()[0].unknown_key(known).error().message;
  };
  EXPECT_THAT(suggestion("wacth"), HasSubstr("(did you mean \"watch\"?)"));
  EXPECT_THAT(suggestion("windo"), HasSubstr("(did you mean \"window\"?)"));
  EXPECT_THAT(suggestion("paths"), HasSubstr("(did you mean \"path\"?)"));
  EXPECT_THAT(suggestion("listen"), testing::Not(HasSubstr("did you mean")));
  EXPECT_THAT(suggestion("x"), testing::Not(HasSubstr("did you mean")));
}

}  // namespace
}  // namespace rota
