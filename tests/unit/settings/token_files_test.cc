#include "settings/token_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace rota {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGood = "[[file]]\nmember = 'id:42'\npath = '/run/app/token'\n";

std::string error_of(std::string_view text) {
  const auto settings = parse_token_files("files.toml", text);
  if (settings) {
    ADD_FAILURE() << "was taken: " << text;
    return {};
  }
  EXPECT_EQ(settings.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(settings.error().message, Not(HasSubstr("\n")));
  return settings.error().message;
}

TEST(TokenFilesSettings, HasDefaults) {
  const auto settings = parse_token_files("files.toml", kGood);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->socket, "/run/rota/token.sock");
  EXPECT_EQ(settings->record, "/var/lib/rota-files/record");
  EXPECT_EQ(settings->run_timeout, std::chrono::seconds{30});
  ASSERT_EQ(settings->files.size(), 1U);
  const TokenFileSettings& file = settings->files.front();
  EXPECT_EQ(file.member.text(), "id:42");
  EXPECT_EQ(file.path, "/run/app/token");
  EXPECT_EQ(file.owner + file.group, "");
  EXPECT_EQ(file.mode, 0600U);
  EXPECT_EQ(file.format, deliver::Format::kRaw);
  EXPECT_TRUE(file.run.empty());
  EXPECT_FALSE(file.keep);
  EXPECT_THAT(file.where, StartsWith("files.toml:3:"));
}

TEST(TokenFilesSettings, EachKeyReachesItsField) {
  const auto settings = parse_token_files("files.toml", R"(
socket = "/run/rota/other.sock"
record = "/var/lib/x/record"
run_timeout = "5s"
[[file]]
member = "email:ada@example.com"
path = "/run/app/token"
owner = "app"
group = "www-data"
mode = "0440"
format = "template"
template = "x\n{{ access_token }}"
run = ["systemctl", "reload", "app"]
keep = true
)");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->socket, "/run/rota/other.sock");
  EXPECT_EQ(settings->record, "/var/lib/x/record");
  EXPECT_EQ(settings->run_timeout, std::chrono::seconds{5});
  const TokenFileSettings& file = settings->files.at(0);
  EXPECT_EQ(file.owner, "app");
  EXPECT_EQ(file.group, "www-data");
  EXPECT_EQ(file.mode, 0440U);
  EXPECT_EQ(file.format, deliver::Format::kTemplate);
  EXPECT_EQ(file.text, *deliver::Template::parse("x\n{{access_token}}"));
  EXPECT_THAT(file.run, ElementsAre("systemctl", "reload", "app"));
  EXPECT_TRUE(file.keep);
}

TEST(TokenFilesSettings, ErrorsNameLineAndKey) {
  struct Bad {
    std::string_view line;  // the fourth
    std::string_view why;
  };
  for (const auto& [line, why] : std::vector<Bad>{
           {"mode = '0644'", "nothing more"},
           {"mode = '0660'", "nothing more"},
           {"mode = '0200'", "nothing more"},
           {"mode = '4600'", "four octal digits"},
           {"mode = '640'", "four octal digits"},
           {"mode = 416", "must be a string"},
           {"format = 'yaml'", "must be raw, json, header, env or template"},
           {"owner = ''", "must not be empty"},
           {"run = []", "from 1 to 64 words"},
           {"run = ['']", "names no program"},
           {"run = 'systemctl reload app'", "must be a list"},
           {"keep = 'yes'", "must be true or false"},
           {"filter = 'x'", "not a known key"},
       }) {
    const std::string message = error_of(fmt::format("{}{}\n", kGood, line));
    EXPECT_THAT(message, StartsWith("files.toml:4:")) << line;
    EXPECT_THAT(message, HasSubstr("file 1: ")) << line;
    EXPECT_THAT(message, HasSubstr(why)) << line;
  }
}

TEST(TokenFilesSettings, TemplatesAndFormatsBelongTogether) {
  EXPECT_THAT(error_of(fmt::format("{}format = 'template'\n", kGood)),
              HasSubstr("the format template needs a template"));
  EXPECT_THAT(error_of(fmt::format("{}template = 'x'\n", kGood)),
              HasSubstr("a template needs format"));
  EXPECT_THAT(
      error_of(fmt::format("{}format='template'\ntemplate = '{{{{refresh_token}}}}'", kGood)),
      HasSubstr("file 1: template: has \"refresh_token\" in braces"));
}

TEST(TokenFilesSettings, APathHasOneSpellingAndOneFile) {
  for (const auto* const path :
       {"token", "/", "/run/", "/run//app", "/run/./app", "/run/../app", "", "/run/a\\nb"}) {
    error_of(fmt::format("[[file]]\nmember = 'id:42'\npath = \"{}\"\n", path));
  }
  EXPECT_THAT(error_of(fmt::format("{0}{0}", kGood)),
              StartsWith("files.toml:4:1: file 2: another file has the same path"));
  EXPECT_THAT(error_of(fmt::format("record = '/run/app/token'\n{}", kGood)),
              HasSubstr("the path is that of the record"));
  const auto long_name = [](std::size_t bytes) {
    return fmt::format("[[file]]\nmember = 'id:42'\npath = '/{}'\n", std::string(bytes, 'a'));
  };
  EXPECT_TRUE(parse_token_files("files.toml", long_name(kTokenFileNameBytesMax)));
  EXPECT_THAT(error_of(long_name(kTokenFileNameBytesMax + 1)), HasSubstr("more than 200 bytes"));
}

TEST(TokenFilesSettings, WhatIsMissingIsSaid) {
  EXPECT_THAT(error_of("[[file]]\npath = '/a'\n"), HasSubstr("file 1: needs a member"));
  EXPECT_THAT(error_of("[[file]]\nmember = 'id:42'\n"), HasSubstr("file 1: needs a path"));
  EXPECT_THAT(error_of("[[file]]\nmember = '42'\npath = '/a'\n"), StartsWith("files.toml:2:"));
}

TEST(TokenFilesSettings, TooManyMembersAreRefused) {
  std::string text;
  for (std::size_t i = 1; i <= kTokenFileMembersMax; ++i) {
    text += fmt::format("[[file]]\nmember = 'id:{0}'\npath = '/run/app/{0}'\n", i);
  }
  EXPECT_TRUE(parse_token_files("files.toml", text));
  EXPECT_TRUE(parse_token_files("files.toml", text + "[[file]]\nmember = 'id:1'\npath = '/x'\n"));
  EXPECT_THAT(error_of(text + "[[file]]\nmember = 'id:4711'\npath = '/x'\n"),
              HasSubstr("more than 100 members"));
}

}  // namespace
}  // namespace rota
