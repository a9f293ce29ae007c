// The clients of docs/clients, each with Debian's runtime of its language, in front of a real
// rotad.
//
// tests/e2e/clients/drive.* reads lines, "token NAME VALUE" or "refused NAME VALUE" (Circle refused
// the token that the member got last), asks the client, and answers each with a line: "token
// TOKEN", "gone CODE" for a 410, "error CODE RETRY_AFTER" for anything else.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fingerprint.h"
#include "e2e/box.h"
#include "e2e/free_port.h"
#include "e2e/relay.h"

namespace rota::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

struct Language {
  const char* name;
  std::vector<std::string> files;                 // of docs/clients and tests/e2e/clients
  std::vector<std::vector<std::string>> prepare;  // run in the folder of the files
  std::vector<std::string> run;
};
void PrintTo(const Language& language, std::ostream* out) { *out << language.name; }

std::vector<Language> languages() {
  return {
      {"Shell", {"rota.sh", "drive.sh"}, {}, {"/bin/bash", "drive.sh"}},
      {"Python", {"rota.py", "drive.py"}, {}, {"/usr/bin/python3", "drive.py"}},
      {"Node", {"rota.mjs", "drive.mjs"}, {}, {"/usr/bin/node", "drive.mjs"}},
      {"Go",
       {"rota.go", "drive.go"},
       {{"/bin/sh", "-c", "mkdir rota && mv rota.go rota/ && printf 'module example\\n' >go.mod"},
        {"/usr/bin/go", "build", "-o", "drive", "drive.go"}},
       {"./drive"}},
      {"Php", {"Rota.php", "drive.php"}, {}, {"/usr/bin/php", "drive.php"}},
      {"Ruby", {"rota.rb", "drive.rb"}, {}, {"/usr/bin/ruby", "drive.rb"}},
      {"Java",
       {"Rota.java", "Drive.java"},
       {{"/usr/bin/javac", "-J-XX:TieredStopAtLevel=1", "Rota.java", "Drive.java"}},
       {"/usr/bin/java", "-XX:TieredStopAtLevel=1", "Drive"}},
      {"Cpp", {}, {}, {CLIENT_DRIVE}},
  };
}

// A program that uses the client, and the line to it.
class Driver {
 public:
  Driver(const std::filesystem::path& folder, const Language& language, const std::string& socket,
         std::string_view patience, const std::string& bearer = {}) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    std::vector<std::string> command{"/bin/sh", "-c",
                                     R"(cd "$1" && shift && exec "$@" <&3 >&3 3>&-)", "sh", folder};
    command.insert(command.end(), language.run.begin(), language.run.end());
    command.insert(command.end(), {socket, std::string(patience)});
    Process::Options options{.environment = {}, .inherit = {ends[1]}};
    if (!bearer.empty()) options.environment.emplace("ROTA_TOKEN", bearer);
    process_.emplace(command, folder / "driver.out", options);
    ::close(ends[1]);
    line_ = ends[0];
  }
  ~Driver() {
    ::close(line_);
    EXPECT_EQ(process_->wait(), 0) << process_->output();
    EXPECT_EQ(process_->output(), "");
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  int line() const { return line_; }

 private:
  std::optional<Process> process_;
  int line_ = -1;
};

class Clients : public ::testing::TestWithParam<Language> {
 protected:
  Clients() {
    box.daemon.extra = fmt::format(
        "\n[[listener]]\naddress = \"127.0.0.1:{}\"\n[[listener]]\npath = \"{}\"\n"
        "[[grant]]\nclient = \"web\"\nmembers = [\"id:1\"]\n",
        port, listener().string());
    box.daemon.write_config();
  }
  void SetUp() override {
    const std::filesystem::path program = folder();
    std::filesystem::create_directory(program);
    for (const std::string& file : GetParam().files) {
      const auto* from = file.starts_with("rota") || file.starts_with("Rota") ? CLIENTS : DRIVERS;
      std::filesystem::copy_file(std::filesystem::path(from) / file, program / file);
    }
    for (const auto& step : GetParam().prepare) {
      std::vector<std::string> command{"/bin/sh", "-c", R"(cd "$1" && shift && exec "$@")", "sh",
                                       program};
      command.insert(command.end(), step.begin(), step.end());
      const Finished finished =
          run(command, box.folder.path(), {{"GOCACHE", program / "cache"}}, Seconds{120});
      ASSERT_EQ(finished.code, 0) << finished.output;
    }
    box.sandbox.control(post("/_sandbox/members", R"({"id":9,"email":"a+b@example.com"})"));
    box.daemon.write_roster(std::string(kThreeMembers) +
                            "[[member]]\nemail = \"a+b@example.com\"\n");
    const Finished added =
        box.daemon.cli({"client", "add", "web", "--config", box.daemon.config_path().string()});
    const auto begin = added.output.find("rota_");
    ASSERT_NE(begin, std::string::npos) << added.output;
    bearer = added.output.substr(begin, added.output.find('\n', begin) - begin);
    ASSERT_TRUE(box.daemon.start());
  }
  std::filesystem::path folder() const { return box.folder.path() / "program"; }

  std::filesystem::path listener() const { return box.folder.path() / "listener.sock"; }

  const std::uint16_t port = free_port();
  std::string bearer;  // of the client "web"
  Box box{{"--access-ttl", "12s", "--refresh-ttl", "10m"}};
  Relay relay{box.folder.path() / "relay.sock", box.daemon.token_socket()};
};

std::string unavailable(int retry_after) {
  const std::string body =
      R"({"success":false,"code":"token_unavailable","message":"no live token"})";
  return fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: {}\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      retry_after, body.size(), body);
}

std::string a_token(std::string_view token, int expires_in) {
  const std::string body = fmt::format(
      R"({{"access_token":"{}","access_token_expires_at":"2024-03-20T16:54:47.274Z","community_member_id":1,"community_id":1}})",
      token);
  return fmt::format(
      "HTTP/1.1 200 OK\r\nRota-Expires-In: {}\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n{}",
      expires_in, body.size(), body);
}

TEST_P(Clients, KeepsAsksAgainAndGivesUp) {
  const Driver driver(folder(), GetParam(), relay.path(), "10");
  const auto ask = [&](std::string_view line) { return relay.ask(driver.line(), line); };
  const auto requests = [&] { return relay.targets.size(); };
  constexpr std::string_view kSecond = "email member2@example.com";

  // Each of the selectors, with characters that a query must escape.
  for (const auto& [member, id] :
       {std::pair("community_member_id 1", 1), std::pair("sso_user_id sso|3", 3),
        std::pair("email a+b@example.com", 9)}) {
    const std::string answer = ask(fmt::format("token {}", member));
    EXPECT_THAT(box.sandbox.tokens(id, "access", "live"),
                ::testing::Contains(answer.substr(answer.find(' ') + 1)))
        << member << ": " << answer;
  }

  // A token that has enough life left is kept, and given without a request.
  const std::string first = ask(fmt::format("token {}", kSecond));
  const std::size_t before = requests();
  EXPECT_EQ(ask(fmt::format("token {}", kSecond)), first);
  EXPECT_EQ(requests(), before);

  // Circle refused it.
  const std::string other = ask(fmt::format("refused {}", kSecond));
  ASSERT_THAT(other, ::testing::StartsWith("token "));
  EXPECT_NE(other, first);
  EXPECT_EQ(box.sandbox.state_of(other.substr(6)), "live");
  ASSERT_EQ(requests(), before + 1);
  EXPECT_THAT(relay.targets.back() + "&",
              HasSubstr("refused=" + format_fingerprint(fingerprint_of(first.substr(6))) + "&"));

  // What is about to end is not kept.
  relay.instead = {a_token("short.lived.token", 0), a_token("long.lived.token", 3'600)};
  EXPECT_EQ(ask("token community_member_id 77"), "token short.lived.token");
  EXPECT_EQ(ask("token community_member_id 77"), "token long.lived.token");
  EXPECT_EQ(ask("token community_member_id 77"), "token long.lived.token");
  EXPECT_EQ(requests(), before + 3);

  // 503: asked again once Retry-After has passed; if that is too long, the program is told.
  relay.instead = {unavailable(1)};
  EXPECT_THAT(ask("refused community_member_id 1"), ::testing::StartsWith("token "));
  EXPECT_EQ(requests(), before + 5);
  relay.instead = {unavailable(60)};
  EXPECT_EQ(ask("token email new@example.com"), "error token_unavailable 60");
  EXPECT_EQ(requests(), before + 6);

  // The daemon went away in the middle; and what no second try can mend.
  relay.instead = {""};
  EXPECT_EQ(ask("token email nobody@example.com"), "error member_unknown 0");

  // 410, and no token that it had before.
  ASSERT_EQ(box.daemon.cli({"revoke", "email:member2@example.com"}).code, 0);
  EXPECT_EQ(ask(fmt::format("refused {}", kSecond)), "gone member_blocked");
  EXPECT_EQ(ask(fmt::format("token {}", kSecond)), "gone member_blocked");

  // Nobody can connect. A client that does not try again has failed long before the second is over.
  relay.fill_queue();
  EXPECT_EQ(relay.ask(driver.line(), "token email later@example.com", Seconds{1}), "");
  {
    const Driver impatient(folder(), GetParam(), relay.path(), "1");
    EXPECT_EQ(relay.ask(impatient.line(), "token email later@example.com"), "error unreachable 0");
  }
  relay.drain_queue();
  relay.instead = {a_token("token.of.later", 3'600)};
  EXPECT_EQ(ask(""), "token token.of.later");
}

TEST_P(Clients, ShowABearerTokenOnAListener) {
  for (const std::string& at : {fmt::format("127.0.0.1:{}", port), listener().string()}) {
    const Driver driver(folder(), GetParam(), at, "10", bearer);
    const std::string answer = relay.ask(driver.line(), "token community_member_id 1");
    EXPECT_THAT(box.sandbox.tokens(1, "access", "live"),
                ::testing::Contains(answer.substr(answer.find(' ') + 1)))
        << at << ": " << answer;
    EXPECT_EQ(relay.ask(driver.line(), "token community_member_id 3"), "error forbidden 0") << at;
    const Driver stranger(folder(), GetParam(), at, "10", "rota_wrong");
    EXPECT_EQ(relay.ask(stranger.line(), "token community_member_id 1"), "error unauthorized 0")
        << at;
    const Driver without(folder(), GetParam(), at, "10");
    EXPECT_EQ(relay.ask(without.line(), "token community_member_id 1"), "error unauthorized 0")
        << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Clients, ::testing::ValuesIn(languages()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace rota::e2e
