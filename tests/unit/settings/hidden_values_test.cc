#include "settings/hidden_values.h"

#include <gtest/gtest.h>

#include "support/temp_directory.h"

namespace rota {
namespace {

constexpr const char* kSecret = "qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAa";

TEST(MayBeShown, APathOfPlainWordsBehindWhatIsThere) {
  const testing::TempDirectory folder;  // its name has random letters
  testing::write_bytes(folder / "x7Kq9", "");
  for (const std::string& path :
       {std::string("/etc/rota/roster.toml"), std::string("/no/such/folder/roster.toml"),
        std::string("conf/roster.toml"), (folder / "x7Kq9").string(),
        (folder / "none/such/roster.toml").string()}) {
    EXPECT_TRUE(may_be_shown(path)) << path;
  }
}

TEST(MayBeShown, P10ButNothingThatMayBeASecret) {
  const std::string secret = kSecret;
  for (const std::string& path :
       {secret, "/" + secret, "./" + secret, secret + "/a/b", "/" + secret + "/b",
        "/no/such/" + secret, "/etc/" + secret, "/proc/" + secret + "/b"}) {
    EXPECT_FALSE(may_be_shown(path)) << path;
  }
}

TEST(HiddenValues, P10StandByTheirKeys) {
  Settings settings;
  const std::string secret = kSecret;
  settings.roster.path = "/" + secret + "/people";
  settings.upstream.ca_file = "/" + secret + "x";
  const HiddenValues hidden(settings);
  EXPECT_EQ(hidden.hide(settings.roster.path + ": No such file"),
            "[roster] path (not repeated here, since it may be a secret): No such file");
  EXPECT_EQ(hidden.hide("ca_file " + settings.upstream.ca_file + ": gone"),
            "ca_file [upstream] ca_file (not repeated here, since it may be a secret): gone");
  EXPECT_EQ(hidden.hide("/" + secret + ": its folder"), "/…: its folder");
  EXPECT_EQ(hidden.hide(secret + " " + secret), "… …");
  const Error error = hidden.hide(Error{.kind = ErrorKind::kIo, .message = secret});
  EXPECT_EQ(error.kind, ErrorKind::kIo);
  EXPECT_EQ(error.message, "…");
}

TEST(HiddenValues, P10ABaseUrlIsShownWithoutAPathThatMayBeASecret) {
  Settings settings;
  settings.upstream.base_url = std::string("https://host.example:8443/") + kSecret;
  EXPECT_EQ(shown_base_url(settings.upstream.base_url), "https://host.example:8443/…");
  const HiddenValues hidden(settings);
  EXPECT_EQ(hidden.hide(settings.upstream.base_url + "/api: gone"),
            "https://host.example:8443/…/api: gone");
  EXPECT_EQ(hidden.hide(std::string("/") + kSecret + "/api"), "/…/api");
  for (const std::string& url :
       {std::string("https://app.circle.so"), std::string("http://127.0.0.1:41234/stand-in/v1")}) {
    EXPECT_EQ(shown_base_url(url), url);
    settings.upstream.base_url = url;
    EXPECT_EQ(HiddenValues(settings).hide(url), url);
  }
}

TEST(HiddenValues, AreNoneOfAGoodConfiguration) {
  const Settings settings;
  const std::string text =
      "/etc/rota/roster.toml /var/lib/rota/rota.db /run/rota/token.sock people";
  EXPECT_EQ(HiddenValues(settings).hide(text), text);
}

}  // namespace
}  // namespace rota
