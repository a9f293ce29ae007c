#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/box.h"

// What holds for every command: what it prints with --json, as a program reads it, and its help.

namespace rota::e2e {
namespace {

// The commands that the help lists.
std::vector<std::string> commands_of(const Daemon& daemon) {
  std::vector<std::string> names;
  const std::string script = daemon.cli({"completion", "fish"}).output;
  constexpr std::string_view kBegin = "__fish_use_subcommand -a ";
  for (std::size_t at = script.find(kBegin); at != std::string::npos;
       at = script.find(kBegin, at + 1)) {
    const std::size_t from = at + kBegin.size();
    names.push_back(script.substr(from, script.find(' ', from) - from));
  }
  return names;
}

// The objects that the text has, one after the other, and nothing else; none if it is otherwise.
std::vector<boost::json::object> objects_in(std::string_view text) {
  std::vector<boost::json::object> objects;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return objects;
    text.remove_prefix(begin);
    boost::json::stream_parser parser;
    boost::json::error_code error;
    const std::size_t used = parser.write_some(text.data(), text.size(), error);
    if (error || !parser.done()) return {};
    boost::json::value value = parser.release();
    // A list counts as what it has.
    boost::json::array values =
        value.is_array() ? value.get_array() : boost::json::array{std::move(value)};
    for (boost::json::value& each : values) {
      if (!each.is_object()) return {};
      objects.push_back(std::move(each.get_object()));
    }
    text.remove_prefix(used);
  }
}

class EveryCommand : public ::testing::Test {
 protected:
  // Only what goes to the standard output.
  std::string printed(std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"/usr/bin/env", "ROTA_ADMIN_SOCKET=" + box.daemon.admin_socket().string(),
                  "ROTA_TOKEN_SOCKET=" + box.daemon.token_socket().string(), "/bin/sh", "-c",
                  "exec \"$0\" \"$@\" 2>>errors", ROTA_CLI});
    words.emplace_back("--json");
    return run(std::move(words), box.folder.path()).output;
  }
  std::string file(const std::string& name, std::string_view bytes) {
    testing::write_bytes(box.folder / name, std::string(bytes));
    std::filesystem::permissions(box.folder / name, std::filesystem::perms::owner_read |
                                                        std::filesystem::perms::owner_write);
    return (box.folder / name).string();
  }

  Box box{{"--access-ttl", "120s", "--refresh-ttl", "10m"}};
};

TEST_F(EveryCommand, WithJsonPrintsObjectsAndNothingElse) {
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  const std::string config = box.daemon.config_path().string();
  const std::string backup = (box.folder / "rota.backup").string();
  const std::string root = (box.folder / "root").string();
  const std::string token = file("token", "the-app-token\n");
  const std::string list = file("list.csv", "Community Member ID,Email\n7,a@example.com\n");
  using Words = std::vector<std::string>;
  const std::vector<std::pair<Words, std::string>> rows{
      {{"token", "id:1"}, "access_token"},
      {{"status"}, "ready"},
      {{"members"}, "members"},
      {{"member", "id:1"}, "key"},
      {{"rotate", "id:1"}, "done"},
      {{"sign-out", "id:1"}, "done"},
      {{"enrol", "id:4", "id:5"}, "community_member_id"},
      {{"remove", "id:4", "id:5"}, "done"},
      {{"revoke", "id:1"}, "done"},
      {{"reinstate", "id:1"}, "done"},
      {{"lift-removals", "client:nobody"}, "code"},
      {{"reload"}, "held"},
      {{"approve", "0123456789abcdef"}, "code"},
      {{"plan", "--config", config}, "add"},
      {{"events"}, "entries"},
      {{"audit"}, "entries"},
      {{"doctor", "--config", config}, "findings"},
      {{"import", list, "--out", (box.folder / "list.toml").string(), "--config", config}, "add"},
      {{"setup", "--root", root, "--yes", "--no-check", "--app-token-file", token}, "done"},
      {{"client", "add", "shop", "--config", config}, "token"},
      {{"client", "list", "--config", config}, "where"},
      {{"client", "remove", "shop", "--config", config}, "removed"},
      {{"revoke-all", "--yes"}, "done"},
      {{"backup", backup}, "bytes"},
      {{"restore", backup, "--yes", "--config", config}, "made_at"},
      {{"rekey", "--config", config}, "finished_earlier_one"},
  };
  // They print no reply: what comes has no end, is a script, or is what a program of the user
  // prints.
  std::set<std::string> known{"watch", "files", "completion", "exec"};
  for (const auto& [words, field] : rows) {
    if (words.front() == "restore") ASSERT_EQ(box.daemon.stop(), 0);
    const std::string text = printed(words);
    const auto objects = objects_in(text);
    EXPECT_FALSE(objects.empty()) << words.front() << ": " << text;
    for (const boost::json::object& each : objects) {
      EXPECT_TRUE(each.contains(field)) << words.front() << ": " << text;
    }
    known.insert(words.front());
  }
  // Whoever adds a command adds a row.
  const auto commands = commands_of(box.daemon);
  EXPECT_GE(commands.size(), known.size());
  for (const std::string& command : commands) EXPECT_TRUE(known.contains(command)) << command;
}

TEST_F(EveryCommand, HasAHelpThatFitsIntoATerminal) {
  std::vector<std::vector<std::string>> all{{}, {"client", "add"}, {"client", "remove"}};
  for (const std::string& command : commands_of(box.daemon)) all.push_back({command});
  EXPECT_GT(all.size(), 20U);
  for (std::vector<std::string>& words : all) {
    words.emplace_back("--help");
    std::istringstream help(box.daemon.cli(words).output);
    for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

}  // namespace
}  // namespace rota::e2e
