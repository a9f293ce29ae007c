#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <span>
#include <sstream>
#include <utility>

#include "e2e/box.h"

// P10: somebody puts a secret where another value of the configuration belongs. Every setting of
// config/ gets one, in the forms that a slip can have, and no program may repeat it.

namespace rota::e2e {
namespace {

constexpr std::size_t kPartBytes = 8;  // of a secret: no text has so much of it

struct Setting {
  std::string section, key;
};

void write(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

std::string example(const char* name) {
  return testing::read_bytes(std::filesystem::path(CONFIG_DIR) / name);
}

// Those of config/rotad.toml, the ones that are off included.
std::vector<Setting> all_settings() {
  std::vector<Setting> settings;
  std::istringstream lines(example("rotad.toml"));
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    static const std::regex kHeader(R"(#?\[+([a-z]+)\]+)");
    static const std::regex kSetting("#?([a-z_]+) = .*");
    std::smatch match;
    if (std::regex_match(line, match, kHeader)) section = match[1];
    if (std::regex_match(line, match, kSetting)) settings.push_back({section, match[1]});
  }
  return settings;
}

// A configuration that a daemon in `folder` runs by, but for one value.
std::string with_value(const std::filesystem::path& folder, const Setting& wrong,
                       const std::string& value) {
  const auto in_folder = [&](const char* name) {
    return fmt::format("\"{}\"", (folder / name).string());
  };
  std::map<std::string, std::map<std::string, std::string>> sections{
      {"[upstream]", {{"base_url", "\"http://127.0.0.1:1\""}}},
      {"[roster]", {{"path", in_folder("roster.toml")}}},
      {"[store]", {{"path", in_folder("state/rota.db")}}},
      {"[serve]",
       {{"token_socket", in_folder("token.sock")}, {"admin_socket", in_folder("admin.sock")}}},
      {"[[grant]]", {{"user", "\"root\""}, {"members", "[\"*\"]"}}}};
  if (wrong.section == "grant" && wrong.key == "group") sections["[[grant]]"].erase("user");
  sections[wrong.section == "grant" ? "[[grant]]" : fmt::format("[{}]", wrong.section)][wrong.key] =
      value;
  std::string text;
  for (const auto& [header, keys] : sections) {
    text += header + "\n";
    for (const auto& [key, each] : keys) text += fmt::format("{} = {}\n", key, each);
  }
  return text;
}

class MisplacedSecret : public ::testing::Test {
 protected:
  void SetUp() override {
    run_.write_roster(kThreeMembers);
    run_.base_url = "http://127.0.0.1:1";
    tried_.write_roster(kThreeMembers);
    ASSERT_TRUE(run_.start());
  }

  void expect_untold(const std::string& text, std::string_view secret, std::string_view door) {
    for (std::size_t at = 0; at + kPartBytes <= secret.size(); ++at) {
      const std::string part(secret.substr(at, kPartBytes));
      if (text.find(part) == std::string::npos) continue;
      ADD_FAILURE() << door << " tells \"" << part << "\" of the secret: " << text;
      return;
    }
  }

  // One that starts with it, or does not.
  std::string start_with(const std::string& config) {
    write(tried_.config_path(), config);
    tried_.launch();
    eventually([&] {
      return !tried_.process().running() ||
             tried_.process().output().find("rotad 0.") != std::string::npos;
    });
    if (tried_.process().running()) tried_.kill9();
    return tried_.process().output();
  }

  std::string reload_with(const std::string& config) {
    write(run_.config_path(), config);
    std::string texts = run_.cli({"reload"}).output + run_.cli({"plan"}).output;
    run_.wait_for_notice("READY=1");  // to read what it told: it would wait for that
    for (const std::string& text : run_.all_that_it_wrote()) texts += text;
    return texts;
  }

  testing::TempDirectory folder_;
  Daemon run_{folder_.path() / "run"};
  Daemon tried_{folder_.path() / "tried"};
};

TEST_F(MisplacedSecret, P10IsToldNowhere) {
  constexpr auto kSecrets = std::to_array<std::string_view>(
      {"qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAaKo5Bi1Xt",  // 40 random characters
       "tgbxwqzkjvhfplmrdncsyaeiouwqzxkvjhgfpbtm",  // and in one case
       "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiIsImV4cCI6MTcwfQ.c2lnbmF0dXJlLW9mLWl0",
       "0f3a9c7e5b1d2846f0e1d2c3b4a5968778695a4b3c2d1e0f1122334455667788",
       "8471620395847162039584716203958471620395", "hAs/sLaShEs9x+And/PlUsEs2q=="});
  const std::vector<Setting> settings = all_settings();
  ASSERT_GT(settings.size(), 30U);
  for (const Setting& setting : settings) {
    for (const std::string_view secret : kSecrets) {
      const auto forms =
          std::to_array<const char*>({"\"{}\"", "{}", "\"/{}\"", "[\"{}\"]", "\"/proc/{}/x\""});
      for (const char* form : std::span(forms).first(secret == kSecrets.front() ? 5 : 3)) {
        const std::string value = fmt::format(fmt::runtime(form), secret);
        SCOPED_TRACE(fmt::format("[{}] {} = {}", setting.section, setting.key, value));
        const std::string config = with_value(tried_.folder(), setting, value);
        write(tried_.config_path(), config);
        expect_untold(
            tried_.daemon_command({"--check", "--config", tried_.config_path().string()}).output,
            secret, "rotad --check");
        // As root a start would make files at the top of the file system.
        const bool is_at_root = std::string_view(form) == "\"/{}\"";
        if (secret != kSecrets.front() || is_at_root) continue;
        expect_untold(
            tried_.cli({"doctor", "--no-check", "--config", tried_.config_path().string()}).output,
            secret, "rota doctor");
        expect_untold(start_with(config), secret, "rotad");
        expect_untold(reload_with(with_value(run_.folder(), setting, value)), secret, "a reload");
      }
    }
  }
}

// The secret in place of a key, or alone in a line.
TEST_F(MisplacedSecret, P10IsNotToldWhereItIsNoValueAtAll) {
  constexpr std::string_view kSecret = "qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAaKo5Bi1Xt";
  for (const char* form :
       {"{}\n", "{} = 1\n", "[{}]\n", "[[{}]]\n", "[upstream]\n{} = 1\n", "[upstream]\n\"{}\n",
        "[upstream]\n{0} = 1\n{0} = 2\n", "[[grant]]\nuser = \"root\"\nmembers = [\"*\", {}]\n"}) {
    SCOPED_TRACE(form);
    const std::string config = fmt::format(fmt::runtime(form), kSecret);
    write(tried_.config_path(), config);
    expect_untold(
        tried_.daemon_command({"--check", "--config", tried_.config_path().string()}).output,
        kSecret, "rotad --check");
    expect_untold(reload_with(config), kSecret, "a reload");
    ASSERT_EQ(run_.cli({"reload"}).code, 1) << "it is no configuration";
  }
}

// The secret as an argument, or in place of an option's value.
TEST_F(MisplacedSecret, P10IsNotToldOfACommandLine) {
  constexpr std::string_view kSecret = "qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAaKo5Bi1Xt";
  for (const char* form : {"{}", "-{}", "--{}", "--{}=1", "--app-token={}", "--check={}",
                           "--version={}", "--config={}", "--config=/{}/x", "a {}"}) {
    SCOPED_TRACE(form);
    const std::string word = fmt::format(fmt::runtime(form), kSecret);
    const Finished alone = tried_.daemon_command({word});
    EXPECT_FALSE(alone.output.empty());
    expect_untold(alone.output, kSecret, "rotad");
    expect_untold(tried_.daemon_command({"--check", word}).output, kSecret, "rotad --check");
    expect_untold(tried_.daemon_command({"keygen", word}).output, kSecret, "rotad keygen");
    expect_untold(run_.cli({word}).output, kSecret, "rota");
    expect_untold(run_.cli({"status", word}).output, kSecret, "rota status");
    expect_untold(run_.cli({"doctor", "--no-check", word}).output, kSecret, "rota doctor");
  }
  EXPECT_THAT(tried_.daemon_command({"reload"}).output, ::testing::HasSubstr("reload"));
}

// The secret in place of the socket's path.
TEST_F(MisplacedSecret, P10IsNotToldInPlaceOfASocket) {
  constexpr std::string_view kSecret = "qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAaKo5Bi1Xt";
  for (const char* form : {"{}", "/{}/x.sock", "/run/{}"}) {
    const std::string word = fmt::format(fmt::runtime(form), kSecret);
    for (const char* command :
         {"token id:1", "watch", "status", "members", "reload", "doctor --no-check"}) {
      SCOPED_TRACE(fmt::format("{} {}", word, command));
      for (const std::string& shell :
           {fmt::format("{} --socket {} {}", ROTA_CLI, word, command),
            fmt::format("ROTA_TOKEN_SOCKET={0} ROTA_ADMIN_SOCKET={0} {1} {2}", word, ROTA_CLI,
                        command)}) {
        const Finished asked = run({"/bin/sh", "-c", shell}, folder_.path());
        EXPECT_NE(asked.code, 0);
        EXPECT_THAT(asked.output, ::testing::HasSubstr("not repeated here"));
        expect_untold(asked.output, kSecret, command);
      }
    }
  }
}

// The secret in place of a name or a path that a command takes.
TEST_F(MisplacedSecret, P10IsNotToldInPlaceOfWhatACommandTakes) {
  constexpr std::string_view kSecret = "qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAaKo5Bi1Xt";
  const std::string root = (folder_.path() / "root").string();
  const std::string token = (run_.folder() / "credentials" / "app-token").string();
  for (const char* form : {"{}", "/{}/x", "/run/{}"}) {
    const std::string word = fmt::format(fmt::runtime(form), kSecret);
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"members", "--state", word},
             {"client", "remove", word, "--config", run_.config_path().string()},
             {"client", "add", "rota_" + word, "--config", run_.config_path().string()},
             {"approve", word},
             {"reload", "--approve", word},
             {"backup", word + "/x"},
             {"restore", word, "--yes", "--config", run_.config_path().string()},
             {"restore", token, "--yes", "--config", word},
             {"restore", token, "--yes", "--config", run_.config_path().string(), "--key-file",
              word},
             {"rekey", "--config", word},
             {"doctor", "--no-check", "--user", word},
             {"doctor", "--no-check", "--config", run_.config_path().string(), "--unit", word},
             {"doctor", "--no-check", "--config", run_.config_path().string(), "--client", word},
             {"plan", word},
             {"plan", "--config", word},
             {"events", "--since", word},
             {"setup", "--base-url", word},
             {"doctor", "--no-check", "--root", word},
             {"doctor", "--no-check", "--config", word},
             {"doctor", "--no-check", "--credentials", word},
             {"setup", "--yes", "--root", root, "--app-token-file", word},
             {"setup", "--yes", "--no-check", "--root", root, "--app-token-file", token, "--rotad",
              word}}) {
      SCOPED_TRACE(command.front() + " " + command.back());
      const Finished asked = run_.cli(command);
      EXPECT_NE(asked.code, 0);
      expect_untold(asked.output, kSecret, command.front());
    }
  }
}

TEST_F(MisplacedSecret, P10IsNotToldOfARosterEither) {
  constexpr std::string_view kSecret = "qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAaKo5Bi1Xt";
  run_.write_config();
  for (const char* form :
       {"community_member_id = \"{}\"", "community_member_id = {}", "email = \"{}\"", "email = {}",
        "sso_user_id = {}", "community_member_id = 1\nname = {}", "community_member_id = 1\n{} = 1",
        "community_member_id = 1\ntags = \"{}\"", "community_member_id = 1\nretired = \"{}\"",
        "{}"}) {
    SCOPED_TRACE(form);
    run_.write_roster(
        fmt::format(fmt::runtime("[[member]]\n{}\n"), fmt::format(fmt::runtime(form), kSecret)));
    const Finished reload = run_.cli({"reload"});
    EXPECT_NE(reload.code, 0);
    expect_untold(reload.output, kSecret, "a reload");
    expect_untold(run_.cli({"plan"}).output, kSecret, "rota plan");
    for (const std::string& text : run_.all_that_it_wrote()) expect_untold(text, kSecret, "it");
  }
}

}  // namespace
}  // namespace rota::e2e
