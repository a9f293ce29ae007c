#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "e2e/box.h"

// Each wrong thing ends a start with 78 and one line that names the place, and loses nothing.

namespace rota::e2e {
namespace {

struct Wrong {
  const char* name;
  std::vector<const char*> says;
  std::function<void(Daemon&)> spoil;
};

void roster(Daemon& daemon, std::string_view text) { daemon.write_roster(text); }

std::vector<Wrong> all_wrong() {
  const auto with_roster = [](std::string text) {
    return [text](Daemon& daemon) { roster(daemon, text); };
  };
  return {
      {"MissingRoster",
       {"roster.toml"},
       [](Daemon& d) { std::filesystem::remove(d.roster_path()); }},
      {"EmptyRoster", {"roster.toml"}, with_roster("")},
      {"Syntax", {"roster.toml:2"}, with_roster("[[member]]\ncommunity_member_id = \n")},
      {"UnknownKey",
       {"roster.toml:3", "emial"},
       with_roster("[[member]]\ncommunity_member_id = 1\nemial = \"a@b.c\"\n")},
      {"WrongType",
       {"roster.toml:2", "community_member_id"},
       with_roster("[[member]]\ncommunity_member_id = \"1\"\n")},
      {"TwoIdentities",
       {"roster.toml:"},
       with_roster("[[member]]\ncommunity_member_id = 1\nemail = \"a@b.c\"\n")},
      {"NoIdentity", {"roster.toml:1"}, with_roster("[[member]]\nname = \"x\"\n")},
      {"Duplicate",
       {"roster.toml:", "id:1"},
       with_roster("[[member]]\ncommunity_member_id = 1\n[[member]]\ncommunity_member_id = 1\n")},
      {"IdZero", {"roster.toml:2"}, with_roster("[[member]]\ncommunity_member_id = 0\n")},
      {"IdNegative", {"roster.toml:2"}, with_roster("[[member]]\ncommunity_member_id = -4\n")},
      {"IdTooLarge",
       {"roster.toml:2"},
       with_roster("[[member]]\ncommunity_member_id = 9007199254740993\n")},
      {"EmailWithoutAt", {"roster.toml:2"}, with_roster("[[member]]\nemail = \"grace\"\n")},
      {"ConfigUnknownKey", {"rotad.toml:", "colour"}, [](Daemon& d) { d.extra = "colour = 1\n"; }},
      {"CredentialsFolderForAll",
       {"credentials", "can change it"},
       [](Daemon& d) {
         std::filesystem::permissions(d.config_path().parent_path() / "credentials",
                                      std::filesystem::perms::all);
       }},
      {"CredentialForAll",
       {"app-token", "can change it"},
       [](Daemon& d) {
         std::filesystem::permissions(d.config_path().parent_path() / "credentials" / "app-token",
                                      std::filesystem::perms::others_write,
                                      std::filesystem::perm_options::add);
       }},
      {"StateFolderForAll",
       {"rota.db", "state has the mode 0777", "chmod go-w"},
       [](Daemon& d) {
         std::filesystem::permissions(d.database().parent_path(), std::filesystem::perms::all);
       }},
      {"FolderOfTheStateFolderForAll",
       {"rota.db", "has the mode 0777", "chmod go-w"},
       [](Daemon& d) {
         const auto open = d.folder() / "open";
         std::filesystem::create_directory(open);
         std::filesystem::permissions(open, std::filesystem::perms::all);
         d.database_path = open / "state" / "rota.db";
       }},
      {"DurationWithoutUnit",
       {"rotad.toml:", "refresh_ahead"},
       [](Daemon& d) { d.rotation["refresh_ahead"] = "\"600\""; }},
      {"HttpToANonLoopbackHost",
       {"rotad.toml:", "base_url"},
       [](Daemon& d) { d.base_url = "http://circle.example"; }},
      {"MetricsListenWithoutAPort",
       {"rotad.toml:", "metrics_listen", "ADDRESS:PORT"},
       [](Daemon& d) { d.serve["metrics_listen"] = "\"127.0.0.1\""; }},
      {"AppTokenOthersCanRead",
       {"token-file", "chmod"},
       [](Daemon& d) {
         const auto path = d.folder() / "token-file";
         std::ofstream(path) << "secret-token\n";
         ::chmod(path.c_str(), 0644);
         d.upstream["app_token_file"] = fmt::format("\"{}\"", path.string());
       }},
      {"NoAppToken",
       {"app-token"},
       [](Daemon& d) { std::filesystem::remove(d.folder() / "credentials" / "app-token"); }},
      {"NoStoreKey",
       {"store-key", "rotad keygen"},
       [](Daemon& d) { std::filesystem::remove(d.folder() / "credentials" / "store-key"); }},
      {"NoDatabase",
       {"rota.db"},
       [](Daemon& d) { std::ofstream(d.database()) << "this is a letter, not a database\n"; }},
      {"SocketPathTooLong",
       {"token_socket"},
       [](Daemon& d) { d.long_socket = "/tmp/" + std::string(120, 'x'); }},
  };
}

class BadInput : public ::testing::TestWithParam<Wrong> {};

TEST_P(BadInput, EndsTheStartWith78AndOneClearLine) {
  testing::TempDirectory folder;
  Daemon daemon(folder / "d");
  daemon.base_url = "http://127.0.0.1:9";
  daemon.write_roster(kThreeMembers);
  GetParam().spoil(daemon);
  daemon.write_config();
  const std::string database =
      std::filesystem::exists(daemon.database()) ? testing::read_bytes(daemon.database()) : "";
  const Finished ended = daemon.daemon_command({"--config", daemon.config_path().string()});
  EXPECT_EQ(ended.code, 78) << ended.output;
  EXPECT_EQ(std::ranges::count(ended.output, '\n'), 1) << ended.output;
  for (const char* text : GetParam().says) EXPECT_THAT(ended.output, ::testing::HasSubstr(text));
  EXPECT_THAT(ended.output, ::testing::Not(::testing::HasSubstr("secret-token")));
  if (!database.empty()) EXPECT_EQ(testing::read_bytes(daemon.database()), database);
}

INSTANTIATE_TEST_SUITE_P(All, BadInput, ::testing::ValuesIn(all_wrong()),
                         [](const auto& wrong) { return wrong.param.name; });

TEST(BadDatabase, OfANewerSchemaIsLeftAsItIs) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  EXPECT_EQ(box.daemon.stop(), 0);
  // The version stands in the header, at byte 60, big endian (SQLite's file format, 1.3).
  constexpr std::streamoff kUserVersionAt = 60;
  std::fstream file(box.daemon.database(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(kUserVersionAt);
  file.write("\0\0\x03\xe7", 4);
  file.close();
  const std::string before = testing::read_bytes(box.daemon.database());
  const Finished ended = box.daemon.daemon_command({"--config", box.daemon.config_path().string()});
  EXPECT_EQ(ended.code, 78) << ended.output;
  EXPECT_THAT(ended.output, ::testing::HasSubstr("999"));
  EXPECT_EQ(testing::read_bytes(box.daemon.database()), before);
}

TEST(BadDatabase, P2AFullDiskLosesNothingAndShowsInStatus) {
  Box box({"--access-ttl", "60s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  const std::string token = box.daemon.token("community_member_id=1");
  EXPECT_EQ(box.daemon.stop(), 0);
  // No file may grow past what the database has now, in blocks of 512 bytes.
  const auto blocks = std::filesystem::file_size(box.daemon.database()) / 512;
  box.daemon.launch({}, fmt::format("trap '' XFSZ; ulimit -f {};", blocks));
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1")) << box.daemon.process().output();
  // New members cannot be made durable, so they are not served.
  std::string many(kThreeMembers);
  for (int i = 1; i <= 4'000; ++i)
    many += fmt::format("[[member]]\nemail = \"x{}@example.com\"\n", i);
  box.daemon.write_roster(many);
  ASSERT_TRUE(eventually([&] {
    return box.daemon.admin(get("/v1/status")).body.find(R"("commits":"failing")") !=
           std::string::npos;
  })) << box.daemon.process().output();
  EXPECT_EQ(box.daemon.token("community_member_id=1"), token) << "what is durable is served on";
  box.daemon.kill9();
  box.daemon.write_roster(kThreeMembers);
  ASSERT_TRUE(box.daemon.start());
  EXPECT_EQ(box.daemon.token("community_member_id=1"), token);
}

}  // namespace
}  // namespace rota::e2e
