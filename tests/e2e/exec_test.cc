// `rota exec` against the real daemon: what the command gets, how it ends, and that nothing stays.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "base/descriptor.h"
#include "e2e/box.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Exec : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.daemon.start());
    token = box.daemon.token("community_member_id=1");
    ASSERT_NE(token, "");
    std::filesystem::create_directory(run_dir());
  }
  // A folder that the test can look into; /dev/shm is in memory.
  std::filesystem::path run_dir() const {
    return std::filesystem::path("/dev/shm") / box.folder.path().filename();
  }
  void TearDown() override {
    EXPECT_THAT(left(), IsEmpty());
    std::filesystem::remove_all(run_dir());
  }
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(run_dir())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  bool comes_to_nothing() const {
    return eventually([this] { return left().empty(); });
  }
  std::vector<std::string> command(std::vector<std::string> rest) const {
    std::vector<std::string> words{ROTA_CLI, "--socket", box.daemon.token_socket(), "exec"};
    words.insert(words.end(), rest.begin(), rest.end());
    return words;
  }
  std::map<std::string, std::string> environment() const {
    return {{"XDG_RUNTIME_DIR", run_dir()}};
  }
  Finished run(std::vector<std::string> rest) {
    return e2e::run(command(std::move(rest)), box.folder.path(), environment());
  }
  std::unique_ptr<Process> start(std::vector<std::string> rest) {
    return std::make_unique<Process>(command(std::move(rest)), box.folder / "exec.out",
                                     Process::Options{.environment = environment(), .inherit = {}});
  }
  static bool says(const Process& process, std::string_view text) {
    return eventually([&] { return process.output().find(text) != std::string::npos; });
  }

  Box box{{"--access-ttl", "1h", "--refresh-ttl", "10d"}};
  std::string token;
};

TEST_F(Exec, TheCommandGetsAFileWithTheToken) {
  const Finished done =
      run({"id:1", "--", "sh", "-c",
           "cat \"$ROTA_TOKEN_FILE\"; echo; stat -c '%a %u' \"$ROTA_TOKEN_FILE\" "
           "\"$(dirname \"$ROTA_TOKEN_FILE\")\"; stat -fc %T \"$ROTA_TOKEN_FILE\""});
  EXPECT_EQ(done.code, 0) << done.output;
  EXPECT_EQ(done.output,
            fmt::format("{}\n600 {}\n700 {}\ntmpfs\n", token, ::geteuid(), ::geteuid()));
}

TEST_F(Exec, SeveralMembersHaveAFileEach) {
  const Finished done = run(
      {"id:1", "email:member2@example.com", "--", "sh", "-c",
       "cat \"$ROTA_TOKEN_FILE_1\"; echo; cat \"$ROTA_TOKEN_FILE_2\"; echo \"$ROTA_TOKEN_FILE\""});
  EXPECT_EQ(done.output,
            fmt::format("{}\n{}\n", token, box.daemon.token("email=member2@example.com")));
}

TEST_F(Exec, TheTokenItselfOnlyIfAskedFor) {
  EXPECT_THAT(run({"id:1", "--", "env"}).output, Not(HasSubstr(token)));
  EXPECT_EQ(run({"id:1", "--env", "CIRCLE_TOKEN", "--", "sh", "-c", "printf %s \"$CIRCLE_TOKEN\""})
                .output,
            token);
}

TEST_F(Exec, ArgumentsAndTheStatusPassThrough) {
  EXPECT_EQ(run({"id:1", "--", "printf", "%s|", "a b", "--env", "--"}).output, "a b|--env|--|");
  EXPECT_EQ(run({"id:1", "--", "sh", "-c", "exit 42"}).code, 42);
  EXPECT_EQ(run({"id:1", "--", "sh", "-c", "kill -TERM $$"}).code, 128 + SIGTERM);
  EXPECT_EQ(run({"id:1", "--", "/no/such/program"}).code, 127);
  EXPECT_EQ(run({"id:1", "--", "/etc/passwd"}).code, 126);
  EXPECT_EQ(run({"id:1"}).code, 2);
  EXPECT_EQ(run({"id:4711", "--", "true"}).code, 3);
  EXPECT_EQ(e2e::run({ROTA_CLI, "--socket", "/no/such.sock", "exec", "id:1", "--", "true"},
                     box.folder.path())
                .code,
            4);
  const Finished plain = run({"id:1", "--", "sh", "-c", "umask; grep SigBlk /proc/self/status"});
  EXPECT_THAT(plain.output, HasSubstr("SigBlk:\t0000000000000000"));
  const mode_t mask = ::umask(0);
  ::umask(mask);
  EXPECT_THAT(plain.output, StartsWith(fmt::format("{:04o}\n", mask)))
      << "the umask of whoever started it";
}

TEST_F(Exec, TheFileStaysFresh) {
  const auto process =
      start({"id:1", "--", "sh", "-c",
             "first=$(cat \"$ROTA_TOKEN_FILE\"); echo began; while now=$(cat "
             "\"$ROTA_TOKEN_FILE\") && [ \"$now\" = \"$first\" ]; do :; done; echo "
             "\"$now\""});
  ASSERT_TRUE(says(*process, "began"));
  ASSERT_EQ(box.daemon.cli({"rotate", "id:1"}).code, 0);
  EXPECT_EQ(process->wait(), 0);
  EXPECT_EQ(process->output(),
            fmt::format("began\n{}\n", box.daemon.token("community_member_id=1")));
}

TEST_F(Exec, ALeaversFileGoesAndTheCommandGoesOn) {
  const auto process =
      start({"id:1", "--", "sh", "-c",
             "echo began; while [ -e \"$ROTA_TOKEN_FILE\" ]; do :; done; echo gone"});
  ASSERT_TRUE(says(*process, "began"));
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  EXPECT_EQ(process->wait(), 0);
  EXPECT_THAT(process->output(), HasSubstr("gone"));
}

TEST_F(Exec, AChangeSendsASignalOrRestartsTheCommand) {
  const auto told = start({"id:1", "--signal-on-change", "USR2", "--", "sh", "-c",
                           "trap 'echo told; exit 7' USR2; echo began; while :; do :; done"});
  ASSERT_TRUE(says(*told, "began"));
  ASSERT_EQ(box.daemon.cli({"rotate", "id:1"}).code, 0);
  EXPECT_EQ(told->wait(), 7);
  EXPECT_THAT(told->output(), HasSubstr("told"));

  const auto again =
      start({"email:member2@example.com", "--restart-on-change", "--env", "T", "--", "sh", "-c",
             "echo began \"$T\"; [ -e \"$0\" ] && exit 9; touch \"$0\"; while :; do :; done",
             box.folder / "began"});
  const std::string before = box.daemon.token("email=member2@example.com");
  ASSERT_TRUE(says(*again, "began " + before));
  ASSERT_EQ(box.daemon.cli({"rotate", "email:member2@example.com"}).code, 0);
  EXPECT_EQ(again->wait(), 9);
  EXPECT_TRUE(says(*again, "began " + box.daemon.token("email=member2@example.com")));
}

TEST_F(Exec, SignalsPassThrough) {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2}) {
    const auto process = start(
        {"id:1", "--", "sh", "-c",
         "for s in HUP INT QUIT TERM USR1 USR2; do trap \"echo got $s; exit 5\" $s; done; echo "
         "began; while :; do :; done"});
    ASSERT_TRUE(says(*process, "began"));
    process->signal(number);
    EXPECT_EQ(process->wait(), 5) << number;
    EXPECT_THAT(process->output(), HasSubstr(fmt::format("got {}", ::sigabbrev_np(number))));
  }
}

TEST_F(Exec, NothingStaysIfEitherIsKilled) {
  const std::vector<std::string> forever{"id:1", "--", "sh", "-c",
                                         "echo pid=$$; exec /bin/sleep 1000"};
  const auto pid_of = [](const std::string& text) {
    return static_cast<pid_t>(std::stol(text.substr(text.find("pid=") + 4)));
  };
  const auto killed = start(forever);
  ASSERT_TRUE(says(*killed, "\n"));
  EXPECT_EQ(left().size(), 1U);
  const pid_t command = pid_of(killed->output());
  killed->kill_and_wait(SIGKILL);
  EXPECT_TRUE(comes_to_nothing());
  EXPECT_TRUE(eventually([&] { return ::kill(command, 0) != 0; })) << "the command ends with it";

  const auto lost = start(forever);
  ASSERT_TRUE(says(*lost, "\n"));
  ::kill(pid_of(lost->output()), SIGKILL);
  EXPECT_EQ(lost->wait(), 128 + SIGKILL);
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Exec, WhatStaysThoughBothAreKilledGoesWithTheNext) {
  const auto killed = start({"id:1", "--", "sh", "-c", "echo began; exec /bin/sleep 1000"});
  ASSERT_TRUE(says(*killed, "began"));
  // Its guard is its only child besides the command.
  const auto children =
      testing::read_bytes(fmt::format("/proc/{0}/task/{0}/children", killed->pid()));
  killed->signal(SIGSTOP);
  const pid_t guard = static_cast<pid_t>(std::stol(children));
  const Descriptor guard_ends(static_cast<int>(::syscall(SYS_pidfd_open, guard, 0)));
  ASSERT_TRUE(guard_ends.ok());
  ::kill(guard, SIGKILL);
  killed->kill_and_wait(SIGKILL);
  // The guard has the lock of the folder until it has ended.
  pollfd ended{.fd = guard_ends.get(), .events = POLLIN, .revents = 0};
  constexpr int kLong = 10'000;
  ASSERT_EQ(::poll(&ended, 1, kLong), 1);
  ASSERT_EQ(left().size(), 1U);
  EXPECT_EQ(run({"id:1", "--", "true"}).code, 0);
  EXPECT_THAT(left(), IsEmpty());
}

// Ctrl-Z, fg, Ctrl-C and the size of the window, as a shell with job control has them.
TEST_F(Exec, TheTerminalPassesThrough) {
  int terminal = -1;
  const pid_t shell = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(shell, 0);
  if (shell == 0) {
    ::setenv("XDG_RUNTIME_DIR", run_dir().c_str(), 1);
    ::setenv("SOCKET", box.daemon.token_socket().c_str(), 1);
    ::setenv("PS1", "", 1);
    ::execlp("bash", "bash", "--norc", "--noediting", "-i", nullptr);
    ::_exit(1);
  }
  std::string seen;
  const auto type = [&](std::string_view text) {
    ASSERT_EQ(::write(terminal, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  ::fcntl(terminal, F_SETFL, O_NONBLOCK);
  const auto shows = [&](std::string_view text) {
    const bool came = eventually([&] {
      std::array<char, 4'096> bytes{};
      const ssize_t got = ::read(terminal, bytes.data(), bytes.size());
      if (got > 0) seen.append(bytes.data(), static_cast<std::size_t>(got));
      return seen.find(text) != std::string::npos;
    });
    if (came) seen.erase(0, seen.find(text) + text.size());
    return came;
  };
  type("stty -echo\n");
  type(fmt::format(
      "{} --socket $SOCKET exec id:1 -- sh -c 'trap \"echo resumed$((1+1))\" CONT; trap "
      "\"echo interrupted$((1+1)); exit 3\" INT; read x; echo \"read $x\"; echo loops; while "
      ":; do :; done'\n",
      ROTA_CLI));
  type("from the terminal\n");
  EXPECT_TRUE(shows("read from the terminal")) << seen;
  ASSERT_TRUE(shows("loops")) << seen;
  type("\x1a");
  ASSERT_TRUE(shows("Stopped")) << seen;
  type("fg\n");
  EXPECT_TRUE(shows("resumed2")) << seen;
  type("\x03");
  EXPECT_TRUE(shows("interrupted2")) << seen;
  type("echo status=$?\n");
  EXPECT_TRUE(shows("status=3")) << seen;
  type("exit\n");
  int status = 0;
  EXPECT_TRUE(eventually([&] {
    std::array<char, 4'096> bytes{};
    static_cast<void>(!::read(terminal, bytes.data(), bytes.size()));
    return ::waitpid(shell, &status, WNOHANG) == shell;
  }));
  ::close(terminal);
}

TEST_F(Exec, WorksForAUserWithNothingButAGrant) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can become another user";
  box.daemon.serve["token_socket_mode"] = "\"0666\"";
  box.daemon.extra = "\n[[grant]]\nuser = \"62001\"\nmembers = [\"id:1\"]\n";
  box.daemon.write_config();
  ASSERT_EQ(box.daemon.stop(), 0);
  ASSERT_TRUE(box.daemon.start());
  for (const auto& path : {box.folder.path(), box.daemon.folder()}) {
    std::filesystem::permissions(path, std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
  }
  const Caller caller{.uid = 62'001, .gid = 62'001, .groups = {}};
  const auto as_caller = [&](std::string_view key) {
    return e2e::run(
        caller.command({ROTA_CLI, "--socket", box.daemon.token_socket(), "exec", std::string(key),
                        "--", "sh", "-c", "cat \"$ROTA_TOKEN_FILE\""}),
        box.folder.path(), {});
  };
  EXPECT_EQ(as_caller("id:1").output, token);
  EXPECT_EQ(as_caller("email:member2@example.com").code, 1) << "it has no grant for that one";
}

}  // namespace
}  // namespace rota::e2e
