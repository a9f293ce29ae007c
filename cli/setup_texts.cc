#include "cli/setup_texts.h"

#include <fmt/format.h>

#include <array>

#include "roster/roster_text.h"

namespace rota::cli {

std::string first_config(const Places& places, const std::string& base_url) {
  std::string text =
      "# Configuration of rotad. A setting that is not here has its default: see rotad.toml(5).\n"
      "# After a change: rotad --check, then rota reload. It says if a restart is needed.\n";
  if (!base_url.empty()) {
    text += fmt::format("\n[upstream]\nbase_url = {}\n", toml_string(base_url));
  }
  if (places.config != Places().config) {
    text += fmt::format(
        "\n[roster]\npath = {}\n\n[store]\npath = {}\n\n[serve]\ntoken_socket = {}\n"
        "admin_socket = {}\n",
        toml_string(places.roster), toml_string(places.database),
        toml_string(places.run + "/token.sock"), toml_string(places.run + "/admin.sock"));
  }
  return text +
         "\n"
         "# Who may fetch tokens besides root: a user or a group, and which members. The user "
         "must\n"
         "# also be able to open the token socket: rota doctor --user NAME checks both.\n"
         "#[[grant]]\n"
         "#user = \"www-data\"\n"
         "#members = [\"*\"]\n";
}

std::string first_roster(const std::vector<MemberKey>& members) {
  std::string text =
      "# Who has tokens. Name each member by one of community_member_id, email or sso_user_id.\n";
  for (const MemberKey& key : members) {
    RosterEntry entry;
    entry.key = key;
    text += roster_text(std::array{entry});
  }
  if (members.empty()) {
    text +=
        "# rotad does not start until the roster has a member.\n"
        "\n"
        "#[[member]]\n"
        "#community_member_id = 42\n"
        "#name = \"Ada\"\n";
  }
  return text;
}

std::string encrypted_drop_in(const Places& places) {
  return fmt::format(
      "# Written by rota setup: the credentials are sealed to this machine.\n"
      "[Service]\n"
      "LoadCredential=\n"
      "LoadCredentialEncrypted=app-token:{}\n"
      "LoadCredentialEncrypted=store-key:{}\n",
      places.credential("app-token", true), places.credential("store-key", true));
}

}  // namespace rota::cli
