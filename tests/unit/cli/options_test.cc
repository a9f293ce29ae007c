#include "cli/options.h"

#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/examples.h"
#include "cli/option_checks.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::variant<Options, ExitCode> read(std::vector<const char*> words) {
  words.insert(words.begin(), "rota");
  return read_options(static_cast<int>(words.size()), words.data());
}

TEST(ReadOptions, TakesGlobalOptionsOnEitherSide) {
  for (const auto& words : {std::vector{"--socket", "/s", "token", "id:42", "--json"},
                            std::vector{"token", "--json", "id:42", "--socket=/s"}}) {
    const auto options = std::get<Options>(read(words));
    EXPECT_EQ(options.socket, "/s");
    EXPECT_TRUE(options.json);
    EXPECT_EQ(std::get<TokenCommand>(options.command).key.text(), "id:42");
  }
}

TEST(ReadOptions, TakesLocalCommands) {
  const auto setup = std::get<Options>(
      read({"setup", "--yes", "--app-token-file", "-", "--member", "id:1", "--member", "email:a@b",
            "--encrypted", "--root", "/r", "--rotad", "/x"}));
  ASSERT_TRUE(setup.local);
  const auto& wanted = std::get<SetupCommand>(*setup.local);
  EXPECT_TRUE(wanted.yes && wanted.encrypted);
  EXPECT_EQ(wanted.app_token_file, "-");
  EXPECT_EQ(wanted.root, "/r");
  EXPECT_EQ(wanted.rotad, "/x");
  ASSERT_EQ(wanted.members.size(), 2U);
  EXPECT_EQ(wanted.members[1].text(), "email:a@b");
  const auto doctor = std::get<Options>(read({"doctor", "--user", "web", "--json"}));
  ASSERT_TRUE(doctor.local);
  EXPECT_EQ(std::get<DoctorCommand>(*doctor.local).user, "web");
  EXPECT_TRUE(doctor.json);
  EXPECT_EQ(doctor.socket, "") << "the configuration's is used";
  EXPECT_FALSE(std::get<Options>(read({"status"})).local);
  // A secret on the command line would be in the process list.
  EXPECT_EQ(std::get<ExitCode>(read({"setup", "--app-token", "x"})), ExitCode::kUsage);
  EXPECT_EQ(std::get<ExitCode>(read({"setup", "--member", "nobody"})), ExitCode::kUsage);
}

// Unsets a variable of the environment at the end of a test.
struct Variable {
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(ReadOptions, ACommunityHasSocketsAndFilesOfItsOwn) {
  for (const auto& words :
       {std::vector{"--community", "shop", "status"}, std::vector{"-C", "shop", "status"},
        std::vector{"status", "--community=shop"}}) {
    EXPECT_EQ(std::get<Options>(read(words)).socket, "/run/rota/shop/admin.sock");
  }
  EXPECT_EQ(std::get<Options>(read({"-C", "shop", "token", "id:1"})).socket,
            "/run/rota/shop/token.sock");
  EXPECT_EQ(std::get<Options>(read({"-C", "shop", "--socket", "/s", "status"})).socket, "/s");
  const auto local = [](std::vector<const char*> words) {
    words.insert(words.begin(), {"-C", "shop"});
    return *std::get<Options>(read(std::move(words))).local;
  };
  EXPECT_EQ(std::get<SetupCommand>(local({"setup"})).community.name(), "shop");
  EXPECT_EQ(std::get<DoctorCommand>(local({"doctor"})).community.name(), "shop");
  const std::string config = "/etc/rota/shop/rotad.toml";
  EXPECT_EQ(std::get<ClientCommand>(local({"client", "list"})).config, config);
  EXPECT_EQ(std::get<RestoreCommand>(local({"restore", "x"})).config, config);
  EXPECT_EQ(std::get<RekeyCommand>(local({"rekey"})).config, config);
  EXPECT_EQ(std::get<RekeyCommand>(local({"rekey", "--config", "/c"})).config, "/c");
  EXPECT_EQ(std::get<ImportCommand>(local({"import", "a", "--out", "b"})).community.config(),
            config);
  const auto plan = std::get<Options>(read({"-C", "shop", "plan"}));
  EXPECT_EQ(std::get<PlanCommand>(plan.command).community.config(), config);
  EXPECT_EQ(std::get<RekeyCommand>(*std::get<Options>(read({"rekey"})).local).config,
            "/etc/rota/rotad.toml");
}

TEST(ReadOptions, TheEnvironmentNamesTheCommunityUnlessTheCommandLineDoes) {
  const Variable community("ROTA_COMMUNITY", "shop");
  EXPECT_EQ(std::get<Options>(read({"status"})).socket, "/run/rota/shop/admin.sock");
  EXPECT_EQ(std::get<Options>(read({"-C", "club", "status"})).socket, "/run/rota/club/admin.sock");
  EXPECT_EQ(std::get<Options>(read({"status"})).community.name(), "shop");
  {
    const Variable socket("ROTA_ADMIN_SOCKET", "/s");
    EXPECT_EQ(std::get<Options>(read({"status"})).socket, "/s");
    EXPECT_EQ(std::get<Options>(read({"-C", "club", "status"})).socket, "/run/rota/club/admin.sock")
        << "or it would ask another community than it was told";
    EXPECT_EQ(std::get<Options>(read({"-C", "club", "doctor"})).socket, "");
  }
  const Variable bad("ROTA_COMMUNITY", "../x");
  EXPECT_EQ(std::get<ExitCode>(read({"status"})), ExitCode::kUsage);
}

TEST(ReadOptions, RefusesANameThatCannotBeACommunity) {
  EXPECT_EQ(std::get<ExitCode>(read({"-C", "../x", "status"})), ExitCode::kUsage);
  EXPECT_EQ(std::get<ExitCode>(read({"-C", "credentials", "status"})), ExitCode::kUsage);
}

TEST(ReadOptions, TakesListsToImport) {
  const auto options =
      std::get<Options>(read({"import", "a.csv", "-", "--out", "r.toml", "--by", "email", "--tags",
                              "--dry-run", "--json", "--config", "/c"}));
  ASSERT_TRUE(options.local);
  EXPECT_TRUE(options.json);
  const auto& lists = std::get<ImportCommand>(*options.local);
  EXPECT_THAT(lists.files, ::testing::ElementsAre("a.csv", "-"));
  EXPECT_EQ(lists.out, "r.toml");
  EXPECT_EQ(lists.rules.by, SelectorKind::kEmail);
  EXPECT_TRUE(lists.rules.tags && lists.dry_run);
  EXPECT_EQ(lists.config, "/c");
  const auto plain = std::get<Options>(read({"import", "a.csv", "--out", "r.toml"}));
  const auto& plain_lists = std::get<ImportCommand>(*plain.local);
  EXPECT_EQ(plain_lists.rules.by, SelectorKind::kCommunityMemberId);
  EXPECT_FALSE(plain_lists.rules.tags || plain_lists.dry_run || plain.json);
  EXPECT_EQ(std::get<ExitCode>(read({"import", "--out", "r.toml"})), ExitCode::kUsage);
  EXPECT_EQ(std::get<ExitCode>(read({"import", "a.csv"})), ExitCode::kUsage);
  EXPECT_EQ(std::get<ExitCode>(read({"import", "a.csv", "--out", "r.toml", "--by", "name"})),
            ExitCode::kUsage);
}

TEST(ReadOptions, ChoosesTheSocketByTheCommand) {
  EXPECT_EQ(std::get<Options>(read({"token", "id:42"})).socket, "/run/rota/token.sock");
  EXPECT_EQ(std::get<Options>(read({"watch"})).socket, "/run/rota/token.sock");
  EXPECT_EQ(std::get<Options>(read({"status"})).socket, "/run/rota/admin.sock");
}

TEST(ReadOptions, FillsInEachCommand) {
  const auto token = std::get<TokenCommand>(
      std::get<Options>(read({"token", "sso:a|b", "--min-ttl", "5m", "--wait", "0", "--strict",
                              "--refused", "00000000000000ff"}))
          .command);
  EXPECT_EQ(token.query.min_ttl, "5m");
  EXPECT_EQ(token.query.wait, "0");
  EXPECT_TRUE(token.query.strict);
  EXPECT_EQ(token.query.refused, "00000000000000ff");

  const auto command = [](std::vector<const char*> words) {
    return std::get<Options>(read(std::move(words))).command;
  };
  EXPECT_EQ(std::get<WatchCommand>(command({"watch"})).keys.size(), 0U);
  EXPECT_EQ(std::get<WatchCommand>(command({"watch", "id:1", "sso:x"})).keys.at(1).text(), "sso:x");
  EXPECT_EQ(std::get<OperateCommand>(command({"revoke", "email:a@b"})).action, "revoke");
  EXPECT_EQ(std::get<OperateCommand>(command({"revoke", "email:a@b"})).key.text(), "email:a@b");
  EXPECT_EQ(std::get<ReloadCommand>(command({"reload", "--approve", "3f"})).approve, "3f");
  EXPECT_EQ(std::get<ReloadCommand>(command({"approve", "3f"})).approve, "3f");
  EXPECT_EQ(std::get<ReloadCommand>(command({"reload"})).approve, "");
  const auto audit = std::get<AuditCommand>(
      command({"audit", "--since", "2h", "--member", "id:1", "--token", "00000000000000ff"}));
  EXPECT_EQ(audit.query.since, "2h");
  EXPECT_EQ(audit.query.member, "id:1");
  EXPECT_EQ(audit.query.token, "00000000000000ff");
  EXPECT_EQ(
      std::get<AuditCommand>(command({"audit", "--since", "2024-03-20T16:54:47Z"})).query.since,
      "2024-03-20T16:54:47Z");
  EXPECT_EQ(std::get<MembersCommand>(command({"members", "--state", "active"})).state, "active");
  EXPECT_EQ(std::get<MembersCommand>(command({"members", "--source", "enrolled"})).source,
            "enrolled");
  EXPECT_EQ(std::get<BackupCommand>(command({"backup", "to"})).file, "to");
  EXPECT_EQ(std::get<Options>(read({"backup", "to"})).socket, "/run/rota/admin.sock");
  EXPECT_EQ(std::get<ExitCode>(read({"backup"})), ExitCode::kUsage);
  const auto restore =
      std::get<RestoreCommand>(*std::get<Options>(read({"restore", "from"})).local);
  EXPECT_EQ(restore.file, "from");
  EXPECT_EQ(restore.config, "/etc/rota/rotad.toml");
  EXPECT_FALSE(restore.yes);
  EXPECT_EQ(std::get<ExitCode>(read({"restore"})), ExitCode::kUsage);
  const auto rekey =
      std::get<RekeyCommand>(*std::get<Options>(read({"rekey", "--config", "other"})).local);
  EXPECT_EQ(rekey.config, "other");
  EXPECT_EQ(std::get<LiftCommand>(command({"lift-removals", "user:web"})).client, "user:web");
  EXPECT_EQ(std::get<Options>(read({"lift-removals", "root"})).socket, "/run/rota/admin.sock");
  EXPECT_EQ(std::get<ExitCode>(read({"lift-removals"})), ExitCode::kUsage);
  using Deed = EachCommand::Deed;
  for (const auto& [word, deed] :
       {std::pair{"enrol", Deed::kEnrol}, std::pair{"remove", Deed::kRemove},
        std::pair{"sign-out", Deed::kSignOut}}) {
    const auto each = std::get<EachCommand>(command({word, "id:1", "email:a@b"}));
    EXPECT_EQ(each.deed, deed);
    ASSERT_EQ(each.keys.size(), 2U);
    EXPECT_EQ(each.keys[1].text(), "email:a@b");
    EXPECT_EQ(std::get<Options>(read({word, "id:1"})).socket, "/run/rota/admin.sock");
    EXPECT_EQ(std::get<ExitCode>(read({word})), ExitCode::kUsage);
    EXPECT_EQ(std::get<ExitCode>(read({word, "id:1", "nobody"})), ExitCode::kUsage);
  }
}

// How scripts and rotad-revoke@.service pass a key that they did not choose.
TEST(ReadOptions, AfterTwoDashesNothingIsAnOption) {
  for (const char* action : {"revoke", "rotate", "reinstate"}) {
    const auto options = std::get<Options>(read({action, "--", "sso:a $HOME %i '\"--json"}));
    EXPECT_EQ(std::get<OperateCommand>(options.command).key.text(), "sso:a $HOME %i '\"--json");
    EXPECT_FALSE(options.json);
    for (const char* word : {"--help", "--version", "--json", "-h", "--socket=/x"}) {
      EXPECT_EQ(std::get<ExitCode>(read({action, "--", word})), ExitCode::kUsage) << word;
    }
  }
  EXPECT_TRUE(std::holds_alternative<Options>(read({"token", "--json", "--", "id:42"})));
}

TEST(ReadOptions, ExecTakesTheCommandAsItIs) {
  const auto options =
      std::get<Options>(read({"--socket", "/s", "exec", "id:42", "email:a@b", "--env", "TOKEN",
                              "--signal-on-change", "HUP", "--", "env", "--json", "--", "exec"}));
  EXPECT_EQ(options.socket, "/s");
  EXPECT_FALSE(options.json);
  const auto& exec = std::get<ExecCommand>(*options.local);
  EXPECT_THAT(exec.command, ::testing::ElementsAre("env", "--json", "--", "exec"));
  ASSERT_EQ(exec.keys.size(), 2U);
  EXPECT_EQ(exec.keys[1].text(), "email:a@b");
  EXPECT_EQ(exec.env, "TOKEN");
  EXPECT_EQ(exec.signal_on_change, SIGHUP);
  for (const auto& words :
       {std::vector{"exec", "id:42"}, std::vector{"exec", "id:42", "--"},
        std::vector{"exec", "--", "env"}, std::vector{"exec", "nobody", "--", "env"},
        std::vector{"exec", "id:42", "--env", "A=B", "--", "env"},
        std::vector{"exec", "id:42", "--env", "1A", "--", "env"},
        std::vector{"exec", "id:42", "--signal-on-change", "NONE", "--", "env"},
        std::vector{"exec", "id:42", "--signal-on-change", "HUP", "--restart-on-change", "--",
                    "x"}}) {
    const auto wrong = read(words);
    ASSERT_TRUE(std::holds_alternative<ExitCode>(wrong)) << words.size();
    EXPECT_EQ(std::get<ExitCode>(wrong), ExitCode::kUsage);
  }
  EXPECT_EQ(std::get<OperateCommand>(std::get<Options>(read({"revoke", "--", "id:42"})).command)
                .key.text(),
            "id:42")
      << "the -- of other commands stays";
}

TEST(ReadOptions, FilesHasAConfigurationOfItsOwn) {
  const auto usual = std::get<Options>(read({"files"}));
  EXPECT_EQ(std::get<FilesCommand>(*usual.local).config, "") << "not the daemon's";
  const auto given = std::get<Options>(read({"files", "--config", "/c", "--check"}));
  EXPECT_EQ(std::get<FilesCommand>(*given.local).config, "/c");
  EXPECT_TRUE(std::get<FilesCommand>(*given.local).check);
}

TEST(SignalNamed, TakesNamesAndNumbers) {
  EXPECT_EQ(signal_named("HUP"), SIGHUP);
  EXPECT_EQ(signal_named("SIGUSR1"), SIGUSR1);
  EXPECT_EQ(signal_named("15"), SIGTERM);
  for (const auto* const word : {"", "0", "-1", "65", "hup", "SIG", "HUPX", "9x"}) {
    EXPECT_EQ(signal_named(word), 0) << word;
  }
}

TEST(ReadOptions, WrongWordsAreAUsageError) {
  for (const auto& words : {std::vector<const char*>{},
                            {"nothing"},
                            {"token"},
                            {"token", "42"},
                            {"watch", "id:1", "42"},
                            {"token", "id:0"},
                            {"token", "id:1", "--wait", "soon"},
                            {"token", "id:1", "--refused", "xyz"},
                            {"revoke", "id:1", "id:2"},
                            {"approve"},
                            {"audit", "--since", "yesterday"},
                            {"audit", "--member", "42"},
                            {"audit", "--token", "xyz"},
                            {"status", "--nothing"},
                            {"status", "plan"}}) {
    const auto options = read(words);
    ASSERT_TRUE(std::holds_alternative<ExitCode>(options)) << ::testing::PrintToString(words);
    EXPECT_EQ(std::get<ExitCode>(options), ExitCode::kUsage);
  }
}

// A token that was put in the wrong place.
TEST(ReadOptions, P10RepeatsNoWordThatMayBeASecret) {
  const std::string secret = "eyJhbGciOiJSUzI1NiJ9.secret";
  const std::string with_value = "--app-token=" + secret;
  const std::string with_one_dash = "-" + secret;
  const std::string with_two_dashes = "--" + secret;
  const std::string of_a_flag = "--strict=" + secret;
  for (const auto& words : {std::vector<const char*>{secret.c_str()},
                            {"token", secret.c_str()},
                            {"token", "id:1", secret.c_str()},
                            {"token", "id:1", "--refused", secret.c_str()},
                            {"token", "id:1", "--wait", secret.c_str()},
                            {"audit", "--token", secret.c_str()},
                            {"audit", "--since", secret.c_str()},
                            {"setup", "--app-token", secret.c_str()},
                            {"setup", with_value.c_str()},
                            {"setup", with_one_dash.c_str()},
                            {"setup", with_two_dashes.c_str()},
                            {"token", "id:1", of_a_flag.c_str()},
                            {"setup", secret.c_str()},
                            {"setup", "--member", secret.c_str()}}) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(std::get<ExitCode>(read(words)), ExitCode::kUsage);
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(said, Not(HasSubstr("eyJh"))) << ::testing::PrintToString(words);
    EXPECT_THAT(said, Not(HasSubstr(".secret"))) << ::testing::PrintToString(words);
    EXPECT_THAT(said, Not(::testing::IsEmpty()));
  }
}

TEST(ReadOptions, HelpIsNoError) {
  EXPECT_EQ(std::get<ExitCode>(read({"--help"})), ExitCode::kDone);
  EXPECT_EQ(std::get<ExitCode>(read({"token", "--help"})), ExitCode::kDone);
}

TEST(MemberNamed, TakesWhatAPersonTypes) {
  for (const auto& [typed, key] : std::vector<std::pair<std::string, std::string>>{
           {"ada@example.com", "email:ada@example.com"},
           {"42", "id:42"},
           {"id:42", "id:42"},
           {"sso:a@b", "sso:a@b"},
           {"email:ada@example.com", "email:ada@example.com"}}) {
    const auto member = member_named(typed);
    ASSERT_TRUE(member) << typed;
    EXPECT_EQ(member->text(), key);
  }
  for (const char* typed : {"", "ada", "@", "-1", "0x2a"})
    EXPECT_FALSE(member_named(typed)) << typed;
}

TEST(ReadOptions, SetupTakesABareAddressAndAnotherServer) {
  const auto options = std::get<Options>(
      read({"setup", "--member", "ada@example.com", "--base-url", "http://127.0.0.1:8080"}));
  const auto& setup = std::get<SetupCommand>(*options.local);
  EXPECT_EQ(setup.members.at(0).text(), "email:ada@example.com");
  EXPECT_EQ(setup.base_url, "http://127.0.0.1:8080");
  EXPECT_EQ(std::get<ExitCode>(read({"setup", "--base-url", "http://example.com"})),
            ExitCode::kUsage)
      << "tokens never cross a network unencrypted";
}

// Each command but the shells' own, and each example as it stands.
TEST(ReadOptions, EachCommandsHelpHasTwoExamplesThatWork) {
  const auto completion = read({"completion", "bash"});
  const auto& shell = std::get<CompletionCommand>(*std::get<Options>(completion).local);
  ASSERT_GT(shell.commands.size(), 20U);
  for (const CommandWords& command : shell.commands) {
    EXPECT_NE(group_of(command.name), "") << command.name;
    std::istringstream lines(examples_of(command.name));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "Examples:") << command.name;
    int count = 0;
    for (; std::getline(lines, line); ++count) {
      std::istringstream text(line);
      std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
      ASSERT_GT(words.size(), 1U);
      EXPECT_EQ(words[0] + words[1], "rota" + command.name);
      std::vector<const char*> arguments;
      for (std::size_t i = 1; i < words.size(); ++i) arguments.push_back(words[i].c_str());
      EXPECT_TRUE(std::holds_alternative<Options>(read(arguments))) << line;
      EXPECT_LE(line.size(), 80U);
    }
    EXPECT_EQ(count, 2) << command.name;
  }
}

TEST(ReadOptions, WithoutACommandItListsThem) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(std::get<ExitCode>(read({})), ExitCode::kUsage);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("The roster"));
  EXPECT_THAT(said, HasSubstr("events"));
  EXPECT_THAT(said, Not(HasSubstr("complete-keys")));
}

TEST(DescribeExtras, LeadsToTheNearestCommandAndRepeatsNoWord) {
  const std::vector<std::string> commands{"member", "members", "status", "plan"};
  EXPECT_THAT(describe_extras({"memebrs"}, commands), HasSubstr("\"rota members\""));
  EXPECT_THAT(describe_extras({"statsu", "x"}, commands), HasSubstr("\"rota status\""));
  for (const auto* word : {"eyJhbGciOiJIUzI1NiJ9", "rotate", ""}) {
    EXPECT_THAT(describe_extras({word}, commands), Not(HasSubstr("mean"))) << word;
  }
  EXPECT_THAT(describe_extras({"memebrs"}, commands), Not(HasSubstr("memebrs")));
}

}  // namespace
}  // namespace rota::cli
