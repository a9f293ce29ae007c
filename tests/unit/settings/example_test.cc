#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "settings/secret_files.h"
#include "settings_equal.h"

namespace rota {
namespace {

const std::string kConfig = ROTA_CONFIG_DIR "/rotad.toml";
const std::string kRoster = ROTA_CONFIG_DIR "/roster.toml";

std::string text_of(const std::string& path) {
  auto text = read_small_file(path, 65'536);
  if (!text) ADD_FAILURE() << text.error().message;
  return text.value_or("");
}

// Turns on what the example shows as off: lines that start with "#" and no space.
std::string with_all_turned_on(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const bool off = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    const bool alternative =
        line.starts_with("app_token_credential") || line.starts_with("key_credential");
    if (!alternative) out += (off ? line.substr(1) : line) + "\n";
  }
  return out;
}

TEST(ExampleConfiguration, IsExactlyTheDefaults) {
  const auto settings = load_settings(kConfig);
  ASSERT_TRUE(settings) << settings.error().message;
  expect_equal(*settings, Settings{});
}

TEST(ExampleConfiguration, ShowsEveryKey) {
  const std::string text = "\n" + text_of(kConfig);
  for (const std::string_view key : {
           "base_url",
           "app_token_credential",
           "#app_token_file",
           "requests_per_window",
           "window",
           "connect_timeout",
           "request_timeout",
           "max_in_flight",
           "ca_file",
           "budget_group",
           "refresh_ahead",
           "renew_pair_ahead",
           "jitter",
           "revoke_superseded_after",
           "active_within",
           "path",
           "watch",
           "max_retire_count",
           "max_retire_fraction",
           "idle_after",
           "max_members",
           "budget_share",
           "key_credential",
           "#key_file",
           "keep",
           "max_rows",
           "token_socket",
           "admin_socket",
           "token_socket_mode",
           "token_socket_group",
           "max_connections",
           "max_connections_per_uid",
           "metrics_listen",
           "#[[grant]]",
           "#user",
           "#group",
           "#members",
           "#may",
           "#enrol_tags",
           "#[[listener]]",
           "#address",
           "#[[client]]",
           "#name",
           "#token_sha256",
           "#client",
           "level",
       }) {
    const std::string start = "\n" + std::string(key) + (key.ends_with(']') ? "\n" : " = ");
    EXPECT_THAT(text, testing::HasSubstr(start));
  }
}

TEST(ExampleConfiguration, IsRightAboutWhatItShowsAsOff) {
  const auto settings = parse_settings("rotad.toml", with_all_turned_on(text_of(kConfig)));
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->upstream.app_token.file, "/etc/rota/app-token");
  EXPECT_EQ(settings->store.key.file, "/etc/rota/store-key");
  ASSERT_EQ(settings->grants.size(), 4U);
  EXPECT_TRUE(settings->grants[0].all_members);
  EXPECT_EQ(settings->grants[1].name, "helpdesk");
  EXPECT_EQ(settings->grants[1].members.size(), 1U);
  EXPECT_TRUE(settings->grants[2].may.has(Right::kEnrol));
  EXPECT_EQ(settings->listeners.size(), 2U);
  EXPECT_EQ(settings->clients.size(), 1U);
  EXPECT_TRUE(grants_without_client(*settings).empty());
}

TEST(ExampleRoster, HasEveryKindOfSelector) {
  const auto files = read_roster(kRoster);
  ASSERT_TRUE(files) << files.error().message;
  const auto roster = parse_roster(*files);
  ASSERT_TRUE(roster) << roster.error().message;
  for (const auto kind :
       {SelectorKind::kCommunityMemberId, SelectorKind::kEmail, SelectorKind::kSsoUserId}) {
    EXPECT_TRUE(std::ranges::any_of(
        roster->entries, [kind](const RosterEntry& entry) { return entry.key.kind == kind; }));
  }
  EXPECT_TRUE(std::ranges::any_of(roster->entries, &RosterEntry::retired));
}

}  // namespace
}  // namespace rota
