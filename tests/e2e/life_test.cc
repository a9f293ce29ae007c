#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <thread>

#include "e2e/box.h"

// Start, restart, reload, stop: the daemon under its service manager.

namespace rota::e2e {
namespace {

bool has_token(const Box& box) { return !box.daemon.token("community_member_id=1").empty(); }

int listen_on(const std::filesystem::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(fd, 16), 0);
  return fd;
}

TEST(Life, P2AfterAKillTheSameTokensAreServedBeforeTheFirstCall) {
  Box box({"--access-ttl", "120s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  const std::string token = box.daemon.token("community_member_id=1");
  box.daemon.kill9();
  box.sandbox.process().signal(SIGSTOP);  // Circle is away
  ASSERT_TRUE(box.daemon.start()) << "READY does not wait for Circle";
  EXPECT_EQ(box.daemon.token("community_member_id=1"), token);
  box.sandbox.process().signal(SIGCONT);
  EXPECT_EQ(box.sandbox.state_of(token), "live");
}

TEST(Life, P2P3NoKillLosesATokenThatWasServed) {
  Box box({"--access-ttl", "5s", "--refresh-ttl", "10m"});
  box.daemon.rotation["refresh_ahead"] = "\"4s\"";
  for (int round = 0; round < 8; ++round) {
    ASSERT_TRUE(box.daemon.start());
    std::string served;
    std::string served_until;
    // Each round ends at another point of the rotation.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(150 * round);
    eventually([&] {
      const Reply reply = box.daemon.fetch("community_member_id=1");
      if (reply.status == 200) {
        served = reply.text("access_token");
        served_until = reply.text("access_token_expires_at");
      }
      return !served.empty() && std::chrono::steady_clock::now() > until;
    });
    ASSERT_FALSE(served.empty());
    box.daemon.kill9();
    box.sandbox.process().signal(SIGSTOP);
    ASSERT_TRUE(box.daemon.start());
    const Reply again = box.daemon.fetch("community_member_id=1&wait=0");
    // It is there again, unless its short life is over by now or a newer one was committed after
    // it.
    box.sandbox.process().signal(SIGCONT);
    if (again.status == 200 && again.text("access_token") == served) {
      EXPECT_NE(box.sandbox.state_of(served), "revoked");
    } else if (again.status == 200) {
      // Times of one form: the later one is the greater text.
      EXPECT_GT(again.text("access_token_expires_at"), served_until) << "round " << round;
      EXPECT_EQ(box.sandbox.state_of(again.text("access_token")), "live");
    } else {
      EXPECT_EQ(box.sandbox.state_of(served), "expired") << "round " << round;
    }
    box.daemon.kill9();
  }
  EXPECT_EQ(box.sandbox.stats().at("violations").at("total").as_int64(), 0);
}

TEST(Life, TellsItsServiceManagerWhatItDoes) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  EXPECT_THAT(box.daemon.notices(), ::testing::HasSubstr("STATUS="));
  EXPECT_LT(box.daemon.notices().find("EXTEND_TIMEOUT_USEC="), box.daemon.notices().find("READY=1"))
      << "loading may take long";
  box.daemon.process().signal(SIGHUP);
  ASSERT_TRUE(box.daemon.wait_for_notice("RELOADING=1"));
  EXPECT_THAT(box.daemon.notices(), ::testing::ContainsRegex("MONOTONIC_USEC=[0-9]+"));
  const auto reloading = box.daemon.notices().find("RELOADING=1");
  ASSERT_TRUE(eventually([&] {
    box.daemon.wait_for_notice("READY=1");
    return box.daemon.notices().find("READY=1", reloading) != std::string::npos;
  }));
  EXPECT_EQ(box.daemon.stop(), 0);
  EXPECT_TRUE(box.daemon.wait_for_notice("STOPPING=1"));
  const auto stopping = box.daemon.notices().find("STOPPING=1");
  EXPECT_NE(box.daemon.notices().find("EXTEND_TIMEOUT_USEC=", stopping), std::string::npos);
  EXPECT_NE(box.daemon.notices().find("STATUS=Stopping: ", stopping), std::string::npos);
}

TEST(Life, SigtermLetsACallInFlightFinishAndCommitsIt) {
  Box box({"--access-ttl", "120s", "--refresh-ttl", "10m", "--latency", "700ms"});
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(
      eventually([&] { return box.sandbox.stats().at("in_flight").at("now").as_int64() == 3; }));
  EXPECT_EQ(box.daemon.stop(), 0);
  box.sandbox.process().signal(SIGSTOP);
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(has_token(box)) << "the reply came after SIGTERM and was committed";
  box.sandbox.process().signal(SIGCONT);
}

// To parse a large roster takes seconds, in which there is nothing to bring to an end.
TEST(Life, ASignalToStopEndsAStartThatStillReads) {
  testing::TempDirectory folder;
  Daemon daemon(folder / "d");
  daemon.base_url = "http://127.0.0.1:9";
  std::string roster;
  constexpr int kMembers = 400'000;
  for (int id = 1; id <= kMembers; ++id) {
    roster += fmt::format("[[member]]\ncommunity_member_id = {}\n", id);
  }
  daemon.write_roster(roster);
  daemon.write_config();
  for (const int signal : {SIGTERM, SIGINT}) {
    const int changes = ::inotify_init1(IN_CLOEXEC);
    ASSERT_GE(::inotify_add_watch(changes, daemon.roster_path().c_str(), IN_CLOSE_NOWRITE), 0);
    daemon.launch();
    pollfd was_read{.fd = changes, .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&was_read, 1, 1'000 * static_cast<int>(kLimit.count())), 1);
    ::close(changes);
    daemon.process().signal(signal);  // while it is being parsed
    EXPECT_EQ(daemon.process().wait(), 0);
    EXPECT_THAT(daemon.process().output(), ::testing::IsEmpty());
  }
}

// A pipe to somebody who stopped reading: fetches, reloads and the stop go on without the log.
TEST(Life, ALogThatNobodyReadsStopsNothing) {
  Box box;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const std::array<char, 4'096> bytes{};
  while (::write(ends[1], bytes.data(), bytes.size()) > 0) {
  }
  ::fcntl(ends[1], F_SETFL, 0);
  box.daemon.write_config();
  box.daemon.launch({ends[1]}, "exec 2>&3 3>&-;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  EXPECT_TRUE(eventually([&] { return has_token(box); }));
  EXPECT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_THAT(box.daemon.admin(get("/metrics")).body,
              ::testing::HasSubstr("rota_log_lines_dropped_total 0"));
  EXPECT_EQ(box.daemon.stop(), 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Life, ClosedStandardDescriptorsAreNotGivenToFilesOrSockets) {
  Box box;
  box.daemon.write_config();
  box.daemon.launch({}, "exec <&- >&- 2>&-;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  for (const int fd : {0, 1, 2}) {
    const auto link = fmt::format("/proc/{}/fd/{}", box.daemon.process().pid(), fd);
    EXPECT_EQ(std::filesystem::read_symlink(link), "/dev/null") << fd;
  }
  EXPECT_TRUE(eventually([&] { return has_token(box); }));
  EXPECT_EQ(box.daemon.stop(), 0);
}

TEST(Life, TakesItsSocketsFromTheServiceManager) {
  Box box;
  box.daemon.write_config();
  const auto token_path = box.folder / "handed-token.sock";
  const auto admin_path = box.folder / "handed-admin.sock";
  const int token_fd = listen_on(token_path);
  const int admin_fd = listen_on(admin_path);
  // Above the numbers that they get, so that none is overwritten on the way.
  const int high_token = ::fcntl(token_fd, F_DUPFD, 100);
  const int high_admin = ::fcntl(admin_fd, F_DUPFD, 100);
  // Connected before the daemon is there: it waits in the backlog.
  Connection early = Connection::to_unix(token_path);
  early.send(get("/healthz"));
  box.daemon.launch({high_admin, high_token},
                    "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=admin:token; "
                    "export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1")) << box.daemon.process().output();
  EXPECT_EQ(early.read_reply().status, 200);
  Connection admin = Connection::to_unix(admin_path);
  admin.send(get("/v1/status"));
  EXPECT_EQ(admin.read_reply().status, 200);
  EXPECT_FALSE(std::filesystem::exists(box.daemon.token_socket())) << "no own ones beside them";
  EXPECT_EQ(box.daemon.stop(), 0);
  EXPECT_TRUE(std::filesystem::exists(token_path)) << "they are not ours to remove";
  for (const int fd : {token_fd, admin_fd, high_token, high_admin}) ::close(fd);
}

// Fetches until it is told to stop; how many came, and how many were lost.
struct Fetches {
  std::atomic<int> done{0};
  std::atomic<int> lost{0};
};

// A connection for each.
void fetch_anew(const std::filesystem::path& socket, const std::stop_token& stop, Fetches& count) {
  while (!stop.stop_requested()) {
    Connection connection = Connection::to_unix(socket);
    connection.send(get("/v1/token?community_member_id=1"));
    ++(connection.read_reply().status == 200 ? count.done : count.lost);
  }
}

// One connection for as long as no reply says that it ends.
void fetch_kept(const std::filesystem::path& socket, const std::stop_token& stop, Fetches& count) {
  std::optional<Connection> connection;
  while (!stop.stop_requested()) {
    if (!connection) connection.emplace(Connection::to_unix(socket));
    connection->send(get("/v1/token?community_member_id=1"));
    const Reply reply = connection->read_reply();
    ++(reply.status == 200 ? count.done : count.lost);
    if (reply.status == 0 || reply.head.contains("Connection: close")) connection.reset();
  }
}

TEST(Life, ARestartLosesNoFetch) {
  Box box({"--access-ttl", "600s", "--refresh-ttl", "30m"});
  box.daemon.write_config();
  const auto path = box.folder / "handed-token.sock";
  const int fd = listen_on(path);
  const int high = ::fcntl(fd, F_DUPFD, 100);
  const auto launch = [&] {
    box.daemon.launch({high},
                      "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=token; "
                      "export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES;");
    return box.daemon.wait_for_notice("READY=1");
  };
  ASSERT_TRUE(launch()) << box.daemon.process().output();
  const auto served = [&] {
    Connection connection = Connection::to_unix(path);
    connection.send(get("/v1/token?community_member_id=1"));
    return connection.read_reply().status == 200;
  };
  ASSERT_TRUE(eventually(served));
  Fetches anew;
  Fetches kept;
  {
    const std::jthread one([&](const std::stop_token& stop) { fetch_anew(path, stop, anew); });
    const std::jthread two([&](const std::stop_token& stop) { fetch_kept(path, stop, kept); });
    for (int round = 0; round < 4; ++round) {
      const int before_anew = anew.done;
      const int before_kept = kept.done;
      EXPECT_TRUE(eventually(
          [&] { return anew.done > before_anew + 100 && kept.done > before_kept + 100; }));
      EXPECT_EQ(box.daemon.stop(), 0);
      EXPECT_TRUE(launch()) << box.daemon.process().output();
    }
  }
  EXPECT_EQ(anew.lost, 0);
  EXPECT_EQ(kept.lost, 0);
  for (const int each : {fd, high}) ::close(each);
}

// Before anybody is served by the last one.
TEST(Life, ARosterThatChangedMeanwhileComesIntoForceAtOnce) {
  Box box({"--access-ttl", "600s", "--refresh-ttl", "30m"});
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  EXPECT_EQ(box.daemon.stop(), 0);
  for (const int added : {4, 5}) {  // of the five that Circle has
    // Many that stay, so that it takes its time to be read.
    std::string roster = "[[member]]\ncommunity_member_id = 2\n";
    for (int i = 1'000; i < 5'000; ++i) {
      roster += fmt::format("[[member]]\ncommunity_member_id = {}\nretired = true\n", i);
    }
    box.daemon.write_roster(roster + fmt::format("[[member]]\ncommunity_member_id = {}\n", added));
    ASSERT_TRUE(box.daemon.start());
    EXPECT_EQ(box.daemon.cli({"status"}).output.find("roster_not_in_force"), std::string::npos);
    const Reply fresh = box.daemon.fetch(fmt::format("community_member_id={}", added));
    EXPECT_EQ(fresh.status, 200) << fresh.body;
    EXPECT_EQ(box.daemon.fetch("community_member_id=1").status, 410) << "it was taken before that";
    EXPECT_EQ(box.daemon.stop(), 0);
  }
}

TEST(Life, AWrongConfigurationIsItsLastStatus) {
  Box box;
  box.daemon.extra = "[nonsense]\n";
  box.daemon.write_config();
  box.daemon.launch();
  EXPECT_EQ(box.daemon.process().wait(), 78);
  EXPECT_TRUE(box.daemon.wait_for_notice("exit code 78")) << box.daemon.notices();
  EXPECT_THAT(
      box.daemon.notices(),
      ::testing::HasSubstr("systemctl reset-failed rotad.service rotad.socket rotad-admin.socket"));
  EXPECT_THAT(box.daemon.notices(), ::testing::Not(::testing::HasSubstr("READY=1")));
}

TEST(Life, ADeadDaemonsSocketsAreReplacedALivingOnesAreNot) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  box.daemon.kill9();
  EXPECT_TRUE(std::filesystem::exists(box.daemon.token_socket()));
  ASSERT_TRUE(box.daemon.start());

  // Another daemon, with a database of its own, on the same sockets.
  testing::TempDirectory elsewhere;
  std::string config = testing::read_bytes(box.daemon.config_path());
  const std::string database = box.daemon.database().string();
  config.replace(config.find(database), database.size(), (elsewhere / "other.db").string());
  std::ofstream(elsewhere / "rotad.toml") << config;
  const Finished second =
      box.daemon.daemon_command({"--config", (elsewhere / "rotad.toml").string()});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.output, ::testing::HasSubstr(box.daemon.token_socket().string()));
  EXPECT_TRUE(eventually([&] { return has_token(box); }));
}

TEST(Life, ASecondDaemonOnADatabaseSaysWhoHoldsIt) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  const Finished second =
      box.daemon.daemon_command({"--config", box.daemon.config_path().string()});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.output,
              ::testing::HasSubstr(fmt::format("pid {}", box.daemon.process().pid())));
  EXPECT_TRUE(eventually([&] { return has_token(box); }));
}

TEST(Life, CheckSaysWhatWouldChangeAndChangesNothing) {
  Box box;
  box.daemon.write_config();
  const auto check = [&] {
    return box.daemon.daemon_command({"--check", "--config", box.daemon.config_path().string()});
  };
  const Finished fresh = check();
  EXPECT_EQ(fresh.code, 0) << fresh.output;
  EXPECT_THAT(fresh.output, ::testing::HasSubstr("add     3"));
  EXPECT_FALSE(std::filesystem::exists(box.daemon.database()));

  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return has_token(box); }));
  EXPECT_EQ(check().code, 0) << "beside a running daemon, too";
  EXPECT_EQ(box.daemon.stop(), 0);
  box.daemon.write_roster("[[member]]\ncommunity_member_id = 1\n");
  const std::string before = testing::read_bytes(box.daemon.database());
  const Finished changed = check();
  EXPECT_EQ(changed.code, 0);
  EXPECT_THAT(changed.output, ::testing::HasSubstr("retire  2"));
  EXPECT_EQ(testing::read_bytes(box.daemon.database()), before);
  EXPECT_EQ(box.sandbox.tokens(2, "refresh", "live").size(), 1U);
  box.daemon.write_roster("[[member]]\n");
  EXPECT_EQ(check().code, 78);
}

TEST(Life, KeygenPrintsAKeyAndAnotherEachTime) {
  testing::TempDirectory folder;
  const Finished one = run({ROTAD, "keygen"}, folder.path());
  const Finished two = run({ROTAD, "keygen"}, folder.path());
  EXPECT_EQ(one.code, 0);
  EXPECT_THAT(one.output, ::testing::MatchesRegex("[0-9a-f]{64}\n"));
  EXPECT_NE(one.output, two.output);
  EXPECT_THAT(run({ROTAD, "--version"}, folder.path()).output, ::testing::StartsWith("rotad 0."));
}

}  // namespace
}  // namespace rota::e2e
