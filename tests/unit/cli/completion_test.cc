#include "cli/completion.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Completion, OffersOnlyKeysThatAShellTakesAsTheyAre) {
  const std::vector<std::string> keys{"id:4", "id:42", "email:o'neil@example.com", "sso:a|b",
                                      "email:ada@example.com"};
  EXPECT_EQ(keys_with(keys, "id:4"), "id:4\nid:42\n");
  EXPECT_EQ(keys_with(keys, "email:"), "email:ada@example.com\n");
  EXPECT_EQ(keys_with(keys, "sso:"), "");
}

TEST(Completion, NamesCommandsAndOptionsForEachShell) {
  const std::vector<CommandWords> commands{
      {.name = "member", .about = "show it's all", .options = {"--json"}, .takes_keys = true},
      {.name = "plan", .about = "show", .options = {}, .takes_keys = false}};
  for (const Shell shell : {Shell::kBash, Shell::kZsh, Shell::kFish}) {
    const std::string script = completion_script(shell, commands);
    EXPECT_THAT(script, HasSubstr("complete-keys"));
    EXPECT_THAT(script, HasSubstr("plan"));
    EXPECT_THAT(script, HasSubstr("json"));
    EXPECT_THAT(script, Not(HasSubstr("member|plan"))) << "plan takes no key";
  }
  EXPECT_THAT(completion_script(Shell::kFish, commands), HasSubstr(R"('show it'\''s all')"));
}

}  // namespace
}  // namespace rota::cli
