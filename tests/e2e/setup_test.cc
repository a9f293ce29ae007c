#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <regex>

#include "e2e/box.h"

// rota setup and rota doctor with the real daemon.

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A command on a terminal of its own, and what the person at it sees.
class OnATerminal {
 public:
  explicit OnATerminal(std::vector<std::string> command) {
    std::vector<char*> words;
    for (std::string& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    pid_ = ::forkpty(&fd_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      ::execv(words.front(), words.data());
      ::_exit(127);
    }
  }
  OnATerminal(const OnATerminal&) = delete;
  OnATerminal& operator=(const OnATerminal&) = delete;
  ~OnATerminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(fd_);
  }

  bool shows(std::string_view text) {
    return eventually([&] {
      read_some();
      return seen_.find(text) != std::string::npos;
    });
  }
  void type(std::string_view text) {
    EXPECT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  int end() {
    int status = -1;
    EXPECT_TRUE(eventually([&] {
      read_some();
      return ::waitpid(pid_, &status, WNOHANG) == pid_;
    }));
    read_some();
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const std::string& seen() const { return seen_; }
  pid_t pid() const { return pid_; }

 private:
  void read_some() {
    std::array<char, 4'096> bytes{};
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    while (::poll(&readable, 1, 0) > 0) {
      const ssize_t got = ::read(fd_, bytes.data(), bytes.size());
      if (got <= 0) break;
      seen_.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }

  pid_t pid_ = -1;
  int fd_ = -1;
  std::string seen_;
};

TEST(Setup, AtATerminalTheTokenIsNotShown) {
  testing::TempDirectory folder;
  const auto root = folder / "root";
  OnATerminal setup({ROTA_CLI, "setup", "--no-check", "--root", root.string(), "--rotad", ROTAD});
  ASSERT_TRUE(setup.shows("app token"));
  setup.type(fmt::format("wrong\x15x\x7f{}\n", kAppToken));  // corrected twice
  ASSERT_TRUE(setup.shows("First member"));
  setup.type("id:1\n");
  ASSERT_TRUE(setup.shows("Do all this?"));
  setup.type("y\n");
  EXPECT_EQ(setup.end(), 0) << setup.seen();
  EXPECT_THAT(setup.seen(), HasSubstr("id:1")) << "what is no secret is";
  EXPECT_THAT(setup.seen(), Not(HasSubstr(std::string(kAppToken))));
  EXPECT_THAT(setup.seen(), HasSubstr("would change (1 call to Circle)"));
  EXPECT_EQ(testing::read_bytes(root / "etc/rota/credentials/app-token"),
            fmt::format("{}\n", kAppToken));
}

TEST(Setup, ABreakAtTheTokenChangesNothing) {
  testing::TempDirectory folder;
  const auto root = folder / "root";
  OnATerminal setup({ROTA_CLI, "setup", "--no-check", "--root", root.string(), "--rotad", ROTAD});
  ASSERT_TRUE(setup.shows("app token"));
  setup.type("half\x03");
  EXPECT_EQ(setup.end(), 2) << setup.seen();
  EXPECT_FALSE(std::filesystem::exists(root));
}

std::string limits_of(pid_t pid) {
  return testing::read_bytes(fmt::format("/proc/{}/limits", pid));
}

TEST(Setup, P10NothingThatReadsASecretLeavesACore) {
  testing::TempDirectory folder;
  OnATerminal setup({ROTA_CLI, "setup", "--root", (folder / "root").string(), "--rotad", ROTAD});
  ASSERT_TRUE(setup.shows("app token"));
  EXPECT_THAT(limits_of(setup.pid()), ::testing::ContainsRegex("Max core file size +0 +0 "));
  // Held at its output, by a pipe that is full.
  std::array<int, 2> full{};
  ASSERT_EQ(::pipe2(full.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const std::string filling(std::size_t{64} << 10U, 'x');
  while (::write(full[1], filling.data(), filling.size()) > 0) {
  }
  ASSERT_EQ(::fcntl(full[1], F_SETFL, 0), 0);
  for (const char* command : {"keygen", "--check"}) {
    Process rotad(
        {"/bin/sh", "-c",
         fmt::format("exec {} {} --config {} >&3", ROTAD, command, (folder / "none").string())},
        folder / "log", {.environment = {}, .inherit = {full[1]}});
    if (command == std::string_view("--check")) {
      EXPECT_EQ(rotad.wait(), 78);
      continue;
    }
    EXPECT_TRUE(eventually([&] {
      return std::regex_search(limits_of(rotad.pid()), std::regex("Max core file size +0 +0 "));
    }));
    rotad.kill_and_wait(SIGKILL);
  }
  ::close(full[0]);
  ::close(full[1]);
}

// Where nobody is at a terminal, against a stand-in that knows its app token.
class SetupAgainstCircle : public ::testing::Test {
 protected:
  SetupAgainstCircle() {
    std::filesystem::create_directories(root() / "etc/rota");
    point_at(sandbox.url());
  }
  std::filesystem::path root() const { return folder / "root"; }
  void point_at(const std::string& url) const {
    std::ofstream(root() / "etc/rota/rotad.toml") << fmt::format(
        "[upstream]\nbase_url = \"{}\"\nconnect_timeout = \"1s\"\n[roster]\n"
        "path = \"{}/etc/rota/roster.toml\"\n[store]\npath = \"{}/rota.db\"\n",
        url, root().string(), root().string());
  }
  Finished setup(std::string_view token) {
    std::filesystem::remove(folder / "token");
    std::ofstream(folder / "token") << token << "\n";
    std::filesystem::permissions(folder / "token", std::filesystem::perms::owner_read);
    return run({ROTA_CLI, "setup", "--root", root().string(), "--rotad", ROTAD, "--yes",
                "--app-token-file", (folder / "token").string(), "--member", "id:1"},
               folder.path());
  }
  bool has_token() const {
    return std::filesystem::exists(root() / "etc/rota/credentials/app-token");
  }
  testing::TempDirectory folder;
  Sandbox sandbox{folder.path()};
};

TEST_F(SetupAgainstCircle, KnowsAnAdminTokenAndWritesNone) {
  const Finished refused = setup("an-admin-api-token");
  EXPECT_EQ(refused.code, 2) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("an Admin API token from the same page is refused"));
  EXPECT_THAT(refused.output, Not(HasSubstr("an-admin-api-token")));
  EXPECT_FALSE(has_token());
}

TEST_F(SetupAgainstCircle, TakesTheRightOneByACallThatChangesNothing) {
  const Finished taken = setup(kAppToken);
  EXPECT_EQ(taken.code, 0) << taken.output;
  EXPECT_THAT(taken.output, HasSubstr("accepts the app token"));
  EXPECT_THAT(taken.output, HasSubstr("a stand-in on this machine"));
  EXPECT_TRUE(has_token());
  EXPECT_TRUE(sandbox.all_tokens().empty()) << "nothing was issued";
}

TEST_F(SetupAgainstCircle, WritesNothingIfTheServerIsNotCircle) {
  sandbox.faults(R"(["any:html404:1"])");
  const Finished other = setup(kAppToken);
  EXPECT_EQ(other.code, 1) << other.output;
  EXPECT_THAT(other.output, HasSubstr("does not speak Circle's Headless Auth API"));
  EXPECT_FALSE(has_token());
}

TEST_F(SetupAgainstCircle, WithoutAnAnswerItWritesAllAndEndsWithFour) {
  sandbox.faults(R"(["any:html502:1"])");
  const Finished proxy = setup(kAppToken);
  EXPECT_EQ(proxy.code, 4) << proxy.output;
  EXPECT_THAT(proxy.output, HasSubstr("it answers 502"));
  EXPECT_TRUE(has_token());
  sandbox.process().kill_and_wait(SIGKILL);
  for (const std::string& url : {sandbox.url(), std::string("https://circle.invalid")}) {
    std::filesystem::remove_all(root());
    std::filesystem::create_directories(root() / "etc/rota");
    point_at(url);
    const Finished offline = setup(kAppToken);
    EXPECT_EQ(offline.code, 4) << offline.output;
    EXPECT_THAT(offline.output, HasSubstr("could not ask "));
    EXPECT_THAT(offline.output, HasSubstr("did not say whether it accepts the app token"));
    EXPECT_TRUE(has_token());
  }
}

class DoctorBox {
 public:
  DoctorBox() : sandbox(folder.path()) {
    std::ofstream(folder / "token") << kAppToken << "\n";
    std::filesystem::permissions(folder / "token", std::filesystem::perms::owner_read);
    const Finished setup = run(
        {ROTA_CLI, "setup", "--no-check", "--root", root().string(), "--rotad", ROTAD, "--yes",
         "--app-token-file", (folder / "token").string(), "--member", "id:1", "--member", "id:2"},
        folder.path());
    EXPECT_EQ(setup.code, 0) << setup.output;
    std::ofstream(config(), std::ios::app)
        << fmt::format("[upstream]\nbase_url = \"{}\"\n", sandbox.url());
  }
  std::filesystem::path root() const { return folder / "root"; }
  std::filesystem::path etc() const { return root() / "etc/rota"; }
  std::filesystem::path config() const { return etc() / "rotad.toml"; }
  void start() {
    daemon = std::make_unique<Process>(
        std::vector<std::string>{ROTAD, "--config", config().string()}, folder / "rotad.log",
        Process::Options{
            .environment = {{"CREDENTIALS_DIRECTORY", (etc() / "credentials").string()}},
            .inherit = {}});
  }
  Finished doctor(std::vector<std::string> more = {}) {
    std::vector<std::string> words{ROTA_CLI, "doctor", "--root", root().string()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, folder.path());
  }

  testing::TempDirectory folder;
  Sandbox sandbox;
  std::unique_ptr<Process> daemon;
};

TEST(Doctor, FindsNothingWrongWithWhatSetupMade) {
  DoctorBox box;
  box.start();
  EXPECT_TRUE(eventually([&] { return box.doctor().code == 0; })) << box.doctor().output;
  const std::string text = box.doctor().output;
  EXPECT_THAT(box.doctor({"--all"}).output, HasSubstr("2 of 2 members fresh"));
  EXPECT_THAT(text, Not(HasSubstr("wrong")));
  const auto json = boost::json::parse(box.doctor({"--json"}).output).as_object();
  EXPECT_EQ(json.at("ok"), true);
  EXPECT_EQ(box.daemon->kill_and_wait(SIGTERM), 0);
  const Finished stopped = box.doctor();
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.output, HasSubstr("wrong  socket      token: there is no "));
}

TEST(Doctor, TellsOfAFailureAtOnce) {
  DoctorBox box;
  box.sandbox.process().kill_and_wait(SIGKILL);
  box.start();
  EXPECT_TRUE(eventually([&] {
    const Finished doctor = box.doctor();
    return doctor.code == 1 &&
           doctor.output.contains("wrong  calls       Circle's address refuses");
  })) << box.doctor().output;
  EXPECT_THAT(box.doctor().output, HasSubstr("no member has a live token"));
}

TEST(Doctor, TellsAUsersGrantFromItsWayToTheSocket) {
  DoctorBox box;
  box.start();
  EXPECT_TRUE(eventually([&] { return box.doctor().code == 0; })) << box.doctor().output;
  // The folder of this test is nobody else's.
  const Finished none = box.doctor({"--user", "daemon"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.output, HasSubstr("wrong  grants      daemon gets no tokens"));
  EXPECT_THAT(none.output, HasSubstr("wrong  access      daemon cannot enter the folder " +
                                     box.folder.path().string()));
  std::ofstream(box.config(), std::ios::app)
      << "[[grant]]\nuser = \"daemon\"\nmembers = [\"id:1\"]\n";
  EXPECT_THAT(box.doctor({"--user", "daemon"}).output,
              HasSubstr("good   grants      daemon gets id:1 (as user daemon)"));
  EXPECT_THAT(box.doctor({"--user", "no-such-user"}).output, HasSubstr("no user"));
}

TEST(Doctor, FindsWhatIsWrongWithTheFiles) {
  DoctorBox box;
  const auto says = [&box](std::string_view text) {
    const Finished finished = box.doctor();
    EXPECT_EQ(finished.code, 1);
    EXPECT_THAT(finished.output, HasSubstr(text));
  };
  std::filesystem::permissions(box.etc() / "credentials/store-key", std::filesystem::perms{0644});
  says("store-key can be read by others (mode 0644) -> chmod 600 ");
  std::filesystem::remove(box.etc() / "credentials/store-key");
  says("store-key: No such file or directory");
  std::ofstream(box.etc() / "roster.toml") << "[[member]]\n";
  says("wrong  roster ");
  std::ofstream(box.config(), std::ios::app)
      << "[[grant]]\nuser = \"no-such-user\"\nmembers = []\n";
  says("wrong  ");
  std::ofstream(box.config(), std::ios::app) << "[nonsense]\n";
  says("wrong  config ");
}

// What the doctor itself decides; the judges have tests of their own.
TEST(Doctor, TellsOfGrantsAndListenersThatDoNotWork) {
  DoctorBox box;
  const auto says = [&box](std::string_view text) {
    const Finished finished = box.doctor({"--no-check"});
    EXPECT_THAT(finished.output, HasSubstr(text));
  };
  const auto add = [&box](std::string_view text) {
    std::ofstream(box.config(), std::ios::app) << text;
  };
  says("note   circle      base_url is http://127.0.0.1");
  add("[[grant]]\nuser = \"root\"\nmembers = [\"tag:nobody\"]\n");
  says("note   grants      the grant to root reaches nobody");
  add("[[grant]]\nuser = \"daemon\"\nmembers = [\"*\"]\nmay = [\"fetch\", \"sign_out\"]\n");
  says("note   grants      user:daemon may sign out members");
  add(fmt::format("[[listener]]\npath = \"{}\"\n", (box.folder / "nobody.sock").string()));
  says(fmt::format("wrong  listener    nobody listens on {}",
                   (box.folder / "nobody.sock").string()));
  EXPECT_THAT(box.doctor({"--user", "bin", "--all"}).output, HasSubstr("good   disk        "))
      << "the machine, too";
  add("[[grant]]\nuser = \"no-such-user\"\nmembers = [\"*\"]\n");
  says("wrong  grants      ");
}

TEST(Doctor, TellsOfATokenAndOfCertificatesThatAreNone) {
  DoctorBox box;
  const auto says = [&box](std::string_view text) {
    const Finished finished = box.doctor({"--no-check"});
    EXPECT_EQ(finished.code, 1);
    EXPECT_THAT(finished.output, HasSubstr(text));
  };
  EXPECT_EQ(box.sandbox.calls(), 0);
  EXPECT_THAT(box.doctor({"--no-check", "--all"}).output, Not(HasSubstr("connection")));
  EXPECT_EQ(box.sandbox.calls(), 0) << "--no-check asks nobody";
  EXPECT_THAT(box.doctor({"--all"}).output, HasSubstr("good   connection  127.0.0.1 takes"));
  EXPECT_EQ(box.sandbox.calls(), 1) << "no running daemon knows whether the token is taken";
  // {"community_member_id":7}, as the claims of a member's token have it.
  testing::write_bytes(box.etc() / "credentials/app-token",
                       "eyJhbGciOiJub25lIn0.eyJjb21tdW5pdHlfbWVtYmVyX2lkIjo3fQ.x\n");
  says("wrong  app token   it is the access token of a member");
  std::string config = testing::read_bytes(box.config());
  const std::string ca = (box.folder / "ca.pem").string();
  testing::write_bytes(ca, "no certificate");
  config.insert(config.find("base_url"), fmt::format("ca_file = \"{}\"\n", ca));
  testing::write_bytes(box.config(), config);
  says("wrong  ca_file     ");
}

TEST(Doctor, TellsWhoElseCanWriteToItsFiles) {
  DoctorBox box;
  std::filesystem::permissions(box.etc() / "roster.toml", std::filesystem::perms{0666});
  EXPECT_EQ(box.doctor({"--no-check"}).code, 1);
  EXPECT_THAT(box.doctor({"--no-check"}).output, HasSubstr("wrong  roster      "));
  std::filesystem::remove(box.config());
  EXPECT_THAT(box.doctor({"--no-check"}).output, HasSubstr("run rota setup to create one"));
}

TEST(Doctor, NamesMembersThatCircleDoesNotKnow) {
  DoctorBox box;
  std::ofstream(box.etc() / "roster.toml", std::ios::app)
      << "[[member]]\nemail = \"nobody@example.com\"\n";
  box.start();
  EXPECT_TRUE(eventually([&] {
    return box.doctor().output.contains("Circle does not know 1 member: email:nobody@example.com");
  })) << box.doctor().output;
}

// No credential of another configuration's is taken for its own.
TEST(DoctorElsewhere, LooksAtTheCredentialsOfTheConfigurationThatItIsGiven) {
  Box box;
  box.daemon.write_config();
  const auto beside = box.daemon.folder() / "credentials";
  const auto moved = box.folder.path() / "secrets";
  const auto doctor = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"doctor", "--all", "--no-check", "--config",
                                   box.daemon.config_path()};
    words.insert(words.end(), more.begin(), more.end());
    return box.daemon.cli(words).output;
  };
  EXPECT_THAT(doctor({}),
              HasSubstr(fmt::format("good   credential  {}/app-token", beside.string())));
  std::filesystem::rename(beside, moved);
  EXPECT_THAT(doctor({}),
              HasSubstr(fmt::format("wrong  credential  {}/app-token", beside.string())));
  EXPECT_THAT(doctor({}), HasSubstr("rota doctor --credentials DIR"));
  EXPECT_THAT(doctor({"--credentials", moved.string()}),
              HasSubstr(fmt::format("good   credential  {}/app-token", moved.string())));
}

}  // namespace
}  // namespace rota::e2e
