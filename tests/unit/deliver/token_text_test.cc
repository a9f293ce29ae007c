#include "deliver/token_text.h"

#include <gmock/gmock.h>

namespace rota::deliver {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Token token_of(std::string_view text) {
  return {.access_token = make_secret(text),
          .expires_at = *parse_iso8601("2024-03-20T16:54:47.274Z"),
          .community_member_id = 42};
}

std::string rendered(Format format, std::string_view text = "") {
  const auto made = render(format, *Template::parse(text), token_of("aZ09-._~+/="));
  return made ? std::string(made->reveal()) : made.error().message;
}

TEST(TokenText, EachFormatIsExactlyThis) {
  EXPECT_EQ(rendered(Format::kRaw), "aZ09-._~+/=");
  EXPECT_EQ(rendered(Format::kHeader), "Authorization: Bearer aZ09-._~+/=\n");
  EXPECT_EQ(rendered(Format::kJson),
            R"({"access_token":"aZ09-._~+/=","access_token_expires_at":"2024-03-20T16:54:47.274Z",)"
            "\"community_member_id\":42}\n");
  EXPECT_EQ(rendered(Format::kEnv),
            "ROTA_ACCESS_TOKEN=aZ09-._~+/=\nROTA_EXPIRES_AT=2024-03-20T16:54:47.274Z\n"
            "ROTA_COMMUNITY_MEMBER_ID=42\n");
}

TEST(TokenText, ATemplateHasThreePlacesAndEverythingElseAsItIs) {
  EXPECT_EQ(
      rendered(Format::kTemplate, "a{{access_token}}b{{ expires_at }}{{community_member_id}}"),
      "aaZ09-._~+/=b2024-03-20T16:54:47.274Z42");
  EXPECT_EQ(rendered(Format::kTemplate, "{ } }} $x `y`\n"), "{ } }} $x `y`\n");
  EXPECT_EQ(rendered(Format::kTemplate, ""), "");
}

TEST(TokenText, OtherPlacesAreRefused) {
  for (const auto* const text : {"{{refresh_token}}", "{{}}", "{{access_token", "{{ACCESS_TOKEN}}",
                                 "{{access_token}} {{env}}", "{{{access_token}}}"}) {
    EXPECT_FALSE(Template::parse(text)) << text;
  }
  EXPECT_THAT(Template::parse("{{zY8xW7vU6tS5rQ4pO3nM2}}").error().message,
              Not(HasSubstr("zY8xW7")))
      << "somebody may have put a token there";
}

TEST(TokenText, ATokenThatCouldMeanSomethingElseIsRefusedInEveryFormat) {
  for (const auto* const bad : {"q b", "q\nX-Evil: 1", "q\"b", "q$b", "q'b", "q\\b", "q\x7f"}) {
    for (const Format format : {Format::kRaw, Format::kJson, Format::kHeader, Format::kEnv}) {
      const auto made = render(format, {}, token_of(bad));
      ASSERT_FALSE(made) << bad;
      EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
      EXPECT_THAT(made.error().message, Not(HasSubstr(bad)));
    }
  }
}

TEST(TokenText, FormatsHaveNames) {
  EXPECT_EQ(format_named("raw"), Format::kRaw);
  EXPECT_EQ(format_named("template"), Format::kTemplate);
  EXPECT_EQ(format_named("RAW"), std::nullopt);
  EXPECT_EQ(format_named(""), std::nullopt);
}

}  // namespace
}  // namespace rota::deliver
