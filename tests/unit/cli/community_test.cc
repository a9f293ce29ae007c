#include "cli/community.h"

#include <gmock/gmock.h>

namespace rota::cli {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

TEST(CheckCommunity, TakesWhatCanBePartOfAUnitAndAPath) {
  for (const char* good : {"shop", "a", "2nd", "my-shop", "my_shop"}) {
    EXPECT_EQ(check_community(good), "") << good;
  }
  EXPECT_EQ(check_community(std::string(32, 'a')), "");
  for (const char* bad :
       {"", "-a", "_a", "a/b", "..", "a.d", "A", "a b", "a@b", "a%i", "\xc3\xa4"}) {
    EXPECT_THAT(check_community(bad), Not(IsEmpty())) << bad;
  }
  EXPECT_THAT(check_community(std::string(33, 'a')), Not(IsEmpty()));
}

// /etc/rota/credentials belongs to the single community, /run/rota/containers to its listener, and
// /var/lib/rota-files to rota-files.service.
TEST(CheckCommunity, TakesNoFolderOfSomethingElse) {
  for (const char* taken : {"credentials", "containers", "budget", "files"}) {
    EXPECT_THAT(check_community(taken), Not(IsEmpty())) << taken;
  }
}

TEST(CommunityTest, HasPlacesOfItsOwn) {
  const Community one;
  EXPECT_EQ(one.config(), "/etc/rota/rotad.toml");
  EXPECT_EQ(one.state(), "/var/lib/rota");
  EXPECT_EQ(one.admin_socket(), "/run/rota/admin.sock");
  EXPECT_EQ(one.unit("rotad-admin.socket"), "rotad-admin.socket");
  const Community shop("my-shop");
  EXPECT_EQ(shop.config(), "/etc/rota/my-shop/rotad.toml");
  EXPECT_EQ(shop.state(), "/var/lib/rota-my-shop");
  EXPECT_EQ(shop.token_socket(), "/run/rota/my-shop/token.sock");
  EXPECT_EQ(shop.unit("rotad-admin.socket"), "rotad-admin@my-shop.socket");
}

TEST(CommunityTest, AdviceNamesItsUnitsAndTheCommunity) {
  const Community shop("rotad");  // the worst name that one can choose
  const auto said = [&](const char* text) { return shop.in_its_words(text); };
  EXPECT_EQ(said("systemctl restart rotad.socket rotad-admin.socket rotad.service"),
            "systemctl restart rotad@rotad.socket rotad-admin@rotad.socket rotad@rotad.service");
  EXPECT_EQ(
      said("then systemctl restart rotad; or systemctl enable --now rotad-client.socket"),
      "then systemctl restart rotad@rotad; or systemctl enable --now rotad-client@rotad.socket");
  EXPECT_EQ(said("journalctl -u rotad says why rotad is not running"),
            "journalctl -u rotad@rotad says why rotad is not running");
  EXPECT_EQ(
      said("fix it, then rota reload; rota doctor --user NAME"),
      "fix it, then rota --community rotad reload; rota --community rotad doctor --user NAME");
  EXPECT_EQ(said("/etc/x/rotad.service.d and some-rotad.service"),
            "/etc/x/rotad.service.d and some-rotad.service");
  EXPECT_EQ(Community().in_its_words("systemctl restart rotad.service, rota reload"),
            "systemctl restart rotad.service, rota reload");
}

}  // namespace
}  // namespace rota::cli
