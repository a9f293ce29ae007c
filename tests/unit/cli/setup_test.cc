#include "cli/setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <vector>

#include "cli/setup_files.h"
#include "settings/roster_file.h"
#include "support/temp_directory.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kKey(64, 'b');

class ScriptedConsole : public Console {
 public:
  bool is_there() const override { return there; }
  Result<std::string> ask(std::string_view question) override {
    asked.emplace_back(question);
    return next();
  }
  Result<Secret> ask_unseen(std::string_view question) override {
    unseen.emplace_back(question);
    ROTA_ASSIGN(const std::string answer, next());
    return Secret(answer);
  }
  bool there = true;
  std::deque<std::string> answers;
  std::vector<std::string> asked;
  std::vector<std::string> unseen;

 private:
  Result<std::string> next() {
    if (answers.empty()) return fail(ErrorKind::kInvalid, "interrupted");
    std::string answer = answers.front();
    answers.pop_front();
    return answer;
  }
};

class GatheredOutput : public Output {
 public:
  Result<void> out(std::string_view text) override {
    printed += text;
    return {};
  }
  void err(std::string_view line) override { said += line; }
  std::string printed;
  std::string said;
};

class SetupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does: a command may end before it reads
    script("rotad", "case $1 in keygen) echo " + kKey + ";; --check) echo checked $3;; esac");
    script("systemd-creds", "[ \"$1\" = encrypt ] && echo sealed $2 && tr a-z n-za-m");
    const std::string path = folder_.path().string() + ":" + std::getenv("PATH");
    ::setenv("PATH", path.c_str(), 1);
    command_.root = (folder_.path() / "root").string();
    command_.rotad = (folder_.path() / "rotad").string();
  }
  void script(const std::string& name, const std::string& text) {
    const auto path = folder_.path() / name;
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  std::string token_file(const std::string& token) {
    const auto path = folder_.path() / "token";
    std::ofstream(path) << token << "\n";
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path.string();
  }
  std::filesystem::path etc(const std::string& name) const {
    return std::filesystem::path(command_.root) / "etc/rota" / name;
  }
  std::string read(const std::string& name) const { return testing::read_bytes(etc(name)); }
  ExitCode run() {
    output_ = {};
    return run_setup(command_, as_json_, console_, output_,
                     [this](const UpstreamSettings& upstream, const SecretPtr& token) {
                       asked_of_.push_back(upstream.base_url);
                       const bool refused = token->reveal().starts_with("admin-");
                       return TokenCheck{refused ? TokenVerdict::kRefused : verdict_, "as seen"};
                     });
  }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat found{};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 07777;
  }

  testing::TempDirectory folder_;
  SetupCommand command_;
  bool as_json_ = false;
  ScriptedConsole console_;
  GatheredOutput output_;
  TokenVerdict verdict_ = TokenVerdict::kTaken;
  std::vector<std::string> asked_of_;  // whenever Circle was asked about a token
};

TEST_F(SetupTest, ACommunityGetsFilesOfItsOwn) {
  command_.yes = true;
  command_.app_token_file = token_file("the-app-token");
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  const std::string first = read("rotad.toml");
  command_.app_token_file = token_file("another-app-token");
  command_.community = Community("shop");
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_EQ(read("credentials/app-token"), "the-app-token\n");
  EXPECT_EQ(read("shop/credentials/app-token"), "another-app-token\n");
  EXPECT_EQ(mode_of(etc("shop/credentials")), 0700U);
  EXPECT_EQ(read("rotad.toml"), first);
  EXPECT_TRUE(std::filesystem::exists(etc("shop/roster.toml")));
  const std::string config = read("shop/rotad.toml");
  EXPECT_THAT(config, HasSubstr("path = \"" + etc("shop/roster.toml").string() + "\""));
  for (const char* place : {"/var/lib/rota-shop/rota.db\"", "/run/rota/shop/token.sock\"",
                            "/run/rota/shop/admin.sock\""}) {
    EXPECT_THAT(config, HasSubstr(command_.root + place));
  }
  EXPECT_THAT(output_.printed, HasSubstr("checked " + etc("shop/rotad.toml").string()));
}

TEST_F(SetupTest, AsksAndWritesWhatWasAgreedTo) {
  console_.answers = {"the-app-token", "email:ada@example.com", "y"};
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_EQ(console_.unseen.size(), 1U) << "the token is asked for unseen";
  EXPECT_EQ(read("credentials/app-token"), "the-app-token\n");
  EXPECT_EQ(read("credentials/store-key"), kKey + "\n");
  EXPECT_EQ(mode_of(etc("credentials")), 0700U);
  EXPECT_EQ(mode_of(etc("credentials/app-token")), 0600U);
  EXPECT_EQ(mode_of(etc("credentials/store-key")), 0600U);
  EXPECT_EQ(mode_of(etc("rotad.toml")), 0600U);
  EXPECT_EQ(mode_of(etc("roster.toml")), 0600U) << "it names members";
  const auto roster =
      parse_roster(std::vector{RosterFile{.name = "roster.toml", .text = read("roster.toml")}});
  ASSERT_TRUE(roster) << roster.error().message;
  ASSERT_EQ(roster->entries.size(), 1U);
  EXPECT_EQ(roster->entries[0].key.text(), "email:ada@example.com");
  EXPECT_THAT(output_.printed, HasSubstr("checked " + etc("rotad.toml").string()));
  EXPECT_THAT(output_.printed, Not(HasSubstr("the-app-token")));
  EXPECT_THAT(output_.printed, Not(HasSubstr(kKey)));
}

TEST_F(SetupTest, AsJsonItPrintsOneObjectOfAllThatItDid) {
  as_json_ = true;
  command_.yes = true;
  command_.app_token_file = token_file("one");
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  boost::json::object told = boost::json::parse(output_.printed).as_object();
  EXPECT_EQ(told.at("ok"), true);
  EXPECT_EQ(told.at("app_token"), "as seen");
  EXPECT_EQ(told.at("check").as_string(), "checked " + etc("rotad.toml").string());
  EXPECT_EQ(told.at("kept").as_array().size(), 0U);
  const std::string written = etc("rotad.toml").string();
  EXPECT_THAT(boost::json::serialize(told.at("done")), HasSubstr("write " + written));
  EXPECT_THAT(boost::json::serialize(told.at("next")), HasSubstr("rotad --config"));
  EXPECT_EQ(told.at("problem"), "");
  EXPECT_THAT(output_.printed, Not(HasSubstr(kKey)));

  // It fails in the midst: what it did before stands there, too.
  command_.app_token_file.clear();
  verdict_ = TokenVerdict::kUnknown;
  ASSERT_EQ(run(), ExitCode::kUnreachable);
  told = boost::json::parse(output_.printed).as_object();
  EXPECT_EQ(told.at("ok"), false);
  EXPECT_EQ(told.at("done").as_array().size(), 0U);
  EXPECT_THAT(boost::json::serialize(told.at("kept")), HasSubstr(written));
  EXPECT_THAT(told.at("problem").as_string().c_str(), HasSubstr("run rota setup again"));
  EXPECT_THAT(output_.said, HasSubstr("run rota setup again")) << "a person reads it, too";
  verdict_ = TokenVerdict::kNotCircle;
  ASSERT_EQ(run(), ExitCode::kFailed);
  told = boost::json::parse(output_.printed).as_object();
  EXPECT_THAT(told.at("problem").as_string().c_str(), HasSubstr("nothing was written"));
}

TEST_F(SetupTest, AsJsonItStillShowsWhatItAsksAbout) {
  as_json_ = true;
  console_.answers = {"the-app-token", "", "n"};
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(console_.asked.back(), HasSubstr("will write " + etc("rotad.toml").string()));
  const boost::json::object told = boost::json::parse(output_.printed).as_object();
  EXPECT_EQ(told.at("ok"), false);
  EXPECT_EQ(told.at("problem"), "nothing was changed, because nobody agreed");
}

TEST_F(SetupTest, WithoutAYesNothingIsThere) {
  for (const char* answer : {"", "n", "yikes"}) {
    console_.answers = {"the-app-token", "", answer};
    EXPECT_EQ(run(), ExitCode::kFailed);
    EXPECT_FALSE(std::filesystem::exists(command_.root));
  }
  console_.answers = {"the-app-token"};  // broken off
  EXPECT_NE(run(), ExitCode::kDone);
  EXPECT_FALSE(std::filesystem::exists(command_.root));
}

TEST_F(SetupTest, ASlipCostsNoAnswerThatWasGivenBefore) {
  console_.answers = {"the-app-token", "ada.example.com", "id:x", "email:ada@example.com", "y"};
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_THAT(read("roster.toml"), HasSubstr("ada@example.com"));
  EXPECT_EQ(read("credentials/app-token"), "the-app-token\n");
  ASSERT_GE(console_.asked.size(), 3U);
  EXPECT_THAT(console_.asked[1], HasSubstr("\nFirst member")) << "why, and the question again";
}

TEST_F(SetupTest, AMemberForARosterThatIsThereIsRefused) {
  command_.yes = true;
  command_.app_token_file = token_file("one");
  command_.members = {*MemberKey::parse("id:1")};
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  const std::string roster = read("roster.toml");
  command_.members = {*MemberKey::parse("id:2")};
  EXPECT_NE(run(), ExitCode::kDone);
  EXPECT_THAT(output_.said, HasSubstr("roster.toml already exists"));
  EXPECT_EQ(read("roster.toml"), roster);
}

TEST_F(SetupTest, WhatIsThereStays) {
  command_.yes = true;
  command_.app_token_file = token_file("one");
  command_.members = {*MemberKey::parse("sso:a\"b\\c")};
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  const std::string config = read("rotad.toml");
  const std::string roster = read("roster.toml");
  script("rotad", "[ $1 = --check ] || echo " + std::string(64, 'c'));
  command_.members.clear();
  command_.app_token_file.clear();
  console_.there = false;
  EXPECT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_EQ(read("credentials/app-token"), "one\n");
  EXPECT_EQ(read("credentials/store-key"), kKey + "\n");
  EXPECT_EQ(read("rotad.toml"), config);
  EXPECT_EQ(read("roster.toml"), roster);
  // A new app token comes in, and the key stays even then.
  command_.app_token_file = token_file("two");
  EXPECT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_EQ(read("credentials/app-token"), "two\n");
  EXPECT_EQ(mode_of(etc("credentials/app-token")), 0600U);
  EXPECT_EQ(read("credentials/store-key"), kKey + "\n");
}

// For a trial: the server is asked, and the configuration names it.
TEST_F(SetupTest, AnotherServerIsWrittenAndAsked) {
  command_.base_url = "http://127.0.0.1:4711";
  console_.answers = {"the-app-token", "ada@example.com", "y"};
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_THAT(asked_of_, ::testing::ElementsAre("http://127.0.0.1:4711"));
  EXPECT_THAT(read("rotad.toml"), HasSubstr("[upstream]\nbase_url = \"http://127.0.0.1:4711\"\n"));
  EXPECT_THAT(read("roster.toml"), HasSubstr("email = \"ada@example.com\"")) << "a bare address";
  EXPECT_EQ(run(), ExitCode::kUsage) << "a configuration that is there stays";
  EXPECT_THAT(output_.said, HasSubstr("set base_url in it"));
}

TEST_F(SetupTest, NoNewKeyBesideADatabase) {
  std::filesystem::create_directories(std::filesystem::path(command_.root) / "var/lib/rota");
  std::ofstream(std::filesystem::path(command_.root) / "var/lib/rota/rota.db") << "x";
  command_.yes = true;
  command_.app_token_file = token_file("one");
  EXPECT_EQ(run(), ExitCode::kUsage);
  EXPECT_THAT(output_.said, HasSubstr("every token on record would be lost"));
  EXPECT_FALSE(std::filesystem::exists(etc("credentials")));
}

TEST_F(SetupTest, WithoutATerminalItNeedsAYesAndAToken) {
  console_.there = false;
  EXPECT_EQ(run(), ExitCode::kUsage);
  command_.yes = true;
  EXPECT_EQ(run(), ExitCode::kUsage);
  EXPECT_THAT(output_.said, HasSubstr("--app-token-file"));
  EXPECT_FALSE(std::filesystem::exists(command_.root));
}

TEST_F(SetupTest, ATokenThatRotadWouldRefuseIsRefused) {
  for (const char* token : {"", "two words", "t\x01"}) {
    console_.answers = {token, "", "y"};
    EXPECT_EQ(run(), ExitCode::kUsage) << token;
  }
}

TEST_F(SetupTest, SealsTheCredentialsAndKeepsTheKeyThatWasThere) {
  command_.yes = true;
  command_.app_token_file = token_file("one");
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  script("rotad", "[ $1 = --check ] || echo " + std::string(64, 'c'));
  command_.encrypted = true;
  command_.app_token_file.clear();
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_EQ(read("credentials/app-token.cred"), "sealed --name=app-token\nbar\n");
  EXPECT_EQ(read("credentials/store-key.cred"),
            "sealed --name=store-key\n" + std::string(64, 'o') + "\n")
      << "the key of before, not a new one";
  EXPECT_EQ(mode_of(etc("credentials/store-key.cred")), 0600U);
  const std::string drop_in = testing::read_bytes(
      std::filesystem::path(command_.root) / "etc/systemd/system/rotad.service.d/credentials.conf");
  EXPECT_THAT(drop_in, HasSubstr("\nLoadCredential=\n"));
  EXPECT_THAT(drop_in, HasSubstr("\nLoadCredentialEncrypted=store-key:" +
                                 etc("credentials/store-key.cred").string() + "\n"));
  EXPECT_THAT(output_.printed, HasSubstr("remove " + etc("credentials/store-key").string()));
}

TEST_F(SetupTest, WhatCannotBeSealedIsNotWrittenInClear) {
  script("systemd-creds", "exit 1");
  command_.yes = command_.encrypted = true;
  command_.app_token_file = token_file("one");
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(output_.said, HasSubstr("systemd-creds cannot seal app-token"));
  EXPECT_TRUE(std::filesystem::is_empty(etc("credentials")));
}

TEST_F(SetupTest, SaysSoWhenRotadFindsItWrong) {
  script("rotad", "[ $1 = --check ] && echo roster.toml: empty && exit 78; echo " + kKey);
  command_.yes = true;
  command_.app_token_file = token_file("one");
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(output_.printed, HasSubstr("roster.toml: empty\nnext: fix "));
}

TEST_F(SetupTest, TakesTheRosterFromOthersWhereItWasOpen) {
  command_.yes = true;
  command_.app_token_file = token_file("one");
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  for (const char* name : {"roster.toml", "rotad.toml"}) {
    std::filesystem::permissions(etc(name), std::filesystem::perms{0644});
  }
  const std::string roster = read("roster.toml");
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_EQ(mode_of(etc("roster.toml")), 0600U);
  EXPECT_EQ(mode_of(etc("rotad.toml")), 0600U);
  EXPECT_EQ(read("roster.toml"), roster);
  EXPECT_THAT(output_.printed, HasSubstr("will set the mode of " + etc("roster.toml").string()));
}

// Whoever may write there would choose what root writes, and reads.
TEST_F(SetupTest, FollowsNoLinkBelowRoot) {
  const auto elsewhere = folder_.path() / "elsewhere";
  command_.yes = true;
  command_.app_token_file = token_file("one");
  for (const char* link : {"etc", "etc/rota", "etc/rota/credentials", "var", "var/lib/rota",
                           "etc/rota/rotad.toml", "etc/rota/roster.toml",
                           "etc/rota/credentials/app-token", "etc/rota/credentials/store-key"}) {
    std::filesystem::remove_all(command_.root);
    std::filesystem::create_directories(elsewhere);
    const auto at = std::filesystem::path(command_.root) / link;
    std::filesystem::create_directories(at.parent_path());
    std::filesystem::create_symlink(elsewhere, at);
    EXPECT_EQ(run(), ExitCode::kUsage) << link;
    EXPECT_THAT(output_.said, HasSubstr(at.string() + " is a symbolic link")) << link;
    EXPECT_TRUE(std::filesystem::is_empty(elsewhere)) << link;
  }
}

// The steps hold even if a link appears between the look and the writing.
TEST_F(SetupTest, TheTreeOpensEachFolderInTheOneBeforeIt) {
  const auto elsewhere = folder_.path() / "elsewhere";
  std::filesystem::create_directories(elsewhere);
  std::filesystem::create_directories(command_.root);
  std::filesystem::create_symlink(elsewhere, std::filesystem::path(command_.root) / "etc");
  const Tree tree(command_.root);
  EXPECT_FALSE(tree.make_folder(command_.root + "/etc/rota", 0700));
  EXPECT_FALSE(tree.write_new(command_.root + "/etc/file", "x", {.mode = 0600}));
  EXPECT_FALSE(tree.replace(command_.root + "/etc/file", "x", {.mode = 0600}));
  std::ofstream(elsewhere / "file") << "x";
  std::filesystem::permissions(elsewhere / "file", std::filesystem::perms{0644});
  EXPECT_FALSE(tree.restrict_to(command_.root + "/etc/file", {.mode = 0600}));
  EXPECT_EQ(mode_of(elsewhere / "file"), 0644U);
}

TEST_F(SetupTest, ATokenThatCircleRefusesIsAskedForAgain) {
  console_.answers = {"admin-token", "the-app-token", "", "y"};
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_EQ(read("credentials/app-token"), "the-app-token\n");
  EXPECT_EQ(asked_of_.size(), 2U);
  EXPECT_EQ(asked_of_[0], "https://app.circle.so");
  EXPECT_THAT(output_.printed, HasSubstr("one call that changes nothing"));
}

TEST_F(SetupTest, ARefusedTokenOfAFileIsNotWritten) {
  command_.yes = true;
  command_.app_token_file = token_file("admin-token");
  EXPECT_EQ(run(), ExitCode::kUsage);
  EXPECT_THAT(output_.said, HasSubstr("refused"));
  EXPECT_FALSE(std::filesystem::exists(command_.root));
  command_.check = false;
  asked_of_.clear();
  EXPECT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_TRUE(asked_of_.empty()) << "--no-check asks nobody";
}

TEST_F(SetupTest, WithoutAnAnswerFromCircleItWritesAllAndSaysSo) {
  verdict_ = TokenVerdict::kUnknown;
  console_.answers = {"the-app-token", "", "y"};
  EXPECT_EQ(run(), ExitCode::kUnreachable) << output_.said;
  EXPECT_EQ(read("credentials/app-token"), "the-app-token\n");
  EXPECT_THAT(output_.printed, HasSubstr("next: "));
  EXPECT_THAT(output_.said, HasSubstr("did not say whether it accepts the app token"));
  console_.answers = {"y"};
  EXPECT_EQ(run(), ExitCode::kUnreachable) << "the one that is there is asked about, too";
  verdict_ = TokenVerdict::kTaken;
  EXPECT_EQ(run(), ExitCode::kDone) << output_.said;
  verdict_ = TokenVerdict::kUnknown;
  command_.check = false;
  EXPECT_EQ(run(), ExitCode::kDone) << "a machine without a network";
}

TEST_F(SetupTest, AServerThatIsNotCircleGetsNoFirstConfiguration) {
  verdict_ = TokenVerdict::kNotCircle;
  console_.answers = {"the-app-token", "", "y"};
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(output_.said, HasSubstr("nothing was written"));
  EXPECT_FALSE(std::filesystem::exists(command_.root));
  command_.yes = true;
  command_.app_token_file = token_file("the-app-token");
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_FALSE(std::filesystem::exists(command_.root));
}

// The way out of a refused app token: whoever runs setup again gets to put in another.
TEST_F(SetupTest, ARefusedTokenThatIsThereIsReplaced) {
  command_.yes = true;
  command_.check = false;
  command_.app_token_file = token_file("admin-token");
  ASSERT_EQ(run(), ExitCode::kDone) << output_.said;
  command_.check = true;
  command_.app_token_file.clear();
  EXPECT_EQ(run(), ExitCode::kUsage) << "nobody can be asked for another";
  EXPECT_THAT(output_.said, HasSubstr("--app-token-file"));
  command_.yes = false;
  console_.answers = {"the-app-token", "y"};
  EXPECT_EQ(run(), ExitCode::kDone) << output_.said;
  EXPECT_EQ(read("credentials/app-token"), "the-app-token\n");
  EXPECT_EQ(read("credentials/store-key"), kKey + "\n");
}

TEST_F(SetupTest, ASecretInPlaceOfAPathIsNotRepeated) {
  command_.yes = true;
  command_.app_token_file = "eyJhbGciOiJSUzI1NiJ9.secret";
  EXPECT_NE(run(), ExitCode::kDone);
  EXPECT_THAT(output_.said, Not(HasSubstr("eyJ")));
  EXPECT_THAT(output_.said, HasSubstr("--app-token-file"));
}

}  // namespace
}  // namespace rota::cli
