#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "e2e/box.h"
#include "support/metrics.h"
#include "support/passed_descriptors.h"

// Who takes what the daemon has only so much of: descriptors, connections, its loop (P11).

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using testing::LingeringSocket;
using ::testing::Not;
using testing::send_descriptors;

int connect_unix(const std::filesystem::path& path, int flags = 0) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  const timeval limit{.tv_sec = 60, .tv_usec = 0};  // of a connect, and of a send
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

// Connects and hangs up, again and again, from a process of its own.
class ConnectFlood {
 public:
  explicit ConnectFlood(const std::filesystem::path& path) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    for (;;) ::close(connect_unix(path, SOCK_NONBLOCK));
  }
  ~ConnectFlood() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ConnectFlood(const ConnectFlood&) = delete;
  ConnectFlood& operator=(const ConnectFlood&) = delete;

 private:
  pid_t pid_;
};

class Flood : public ::testing::Test {
 protected:
  void start() {
    ASSERT_TRUE(box.daemon.start());
    ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  }
  double metric(const std::string& sample) const {
    const auto metrics = testing::parse_metrics(box.daemon.admin(get("/metrics")).body);
    return metrics && metrics->contains(sample) ? metrics->at(sample) : -1;
  }
  // Connections of this process, open until the end.
  void hold(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      held.push_back(Connection::to_unix(box.daemon.token_socket()));
    }
  }
  std::size_t served() {
    std::size_t answered = 0;
    for (Connection& each : held) {
      each.send(get("/v1/token?community_member_id=1"));
      if (each.read_reply().status == 200) ++answered;
    }
    return answered;
  }

  Box box{{"--access-ttl", "10m", "--refresh-ttl", "20m"}};
  std::vector<Connection> held;
  std::deque<LingeringSocket> passed;
};

// A close that blocked would block for an hour.
TEST_F(Flood, P11APassedDescriptorHoldsUpNobody) {
  start();
  for (const auto& path : {box.daemon.token_socket(), box.daemon.admin_socket()}) {
    for (int i = 0; i < 20; ++i) {
      const int fd = connect_unix(path);
      ASSERT_GE(fd, 0);
      LingeringSocket& one = passed.emplace_back();
      const std::string bytes = i % 2 == 0 ? "GET" : get("/healthz");
      if (send_descriptors(fd, bytes, {one.fd(), one.fd()}) > 0) one.let_go();
      EXPECT_NE(box.daemon.token("community_member_id=1"), "");
      ::close(fd);
    }
  }
  EXPECT_NE(box.daemon.token("community_member_id=1"), "");
  EXPECT_EQ(box.daemon.stop(), 0);
}

// What waits at the service manager's socket was sent before anybody could refuse it.
TEST_F(Flood, P11DescriptorsPassedBeforeTheStartHoldUpNobody) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = box.daemon.token_socket();
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 1'000), 0);
  // Above the number that it gets, so that it is not overwritten on the way.
  const int high = ::fcntl(listener, F_DUPFD, 200);
  std::vector<int> attackers;
  for (int i = 0; i < 100; ++i) {
    attackers.push_back(connect_unix(path));
    LingeringSocket& one = passed.emplace_back();
    const std::string bytes = i % 2 == 0 ? "GET" : get("/healthz");
    EXPECT_EQ(send_descriptors(attackers.back(), bytes, {one.fd()}), std::ssize(bytes));
    one.let_go();
  }
  box.daemon.serve = {{"max_connections", "50"}};  // the others are refused
  box.daemon.write_config();
  box.daemon.launch({high},
                    "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=token; "
                    "export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  EXPECT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  EXPECT_EQ(box.daemon.stop(), 0);
  for (const int fd : attackers) ::close(fd);
  ::close(listener);
  ::close(high);
}

// None of 200 is refused while another process connects as fast as it can.
TEST_F(Flood, P11AFloodOfConnectionsDeniesNobodyElse) {
  start();
  const ConnectFlood flood(box.daemon.token_socket());
  ASSERT_TRUE(
      eventually([&] { return metric(R"(rota_connections_refused_total{limit="rate"})") > 0; }));
  std::size_t refused = 0;
  for (int i = 0; i < 200; ++i) {
    Connection connection = Connection::to_unix(box.daemon.token_socket());
    connection.send(get("/v1/token?community_member_id=1"));
    if (connection.read_reply().status != 200) ++refused;
  }
  EXPECT_EQ(refused, 0U);
}

TEST_F(Flood, P11IdleConnectionsDoNotBlindTheMetrics) {
  const int free = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(free, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::getsockname(free, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(free);
  const std::uint16_t port = ntohs(address.sin_port);
  box.daemon.serve = {{"metrics_listen", fmt::format("\"127.0.0.1:{}\"", port)}};
  start();
  for (int i = 0; i < 100; ++i) {
    held.push_back(Connection::to_port(port));
    if (i % 2 == 0) held.back().send("GET /metr");
  }
  for (int i = 0; i < 3; ++i) {
    Connection scraper = Connection::to_port(port);
    scraper.send(get("/metrics"));
    EXPECT_EQ(scraper.read_reply().status, 200);
  }
}

TEST_F(Flood, P11FiveHundredClientsFitIntoAThousandDescriptors) {
  box.daemon.serve = {{"max_connections_per_uid", "600"}};
  box.daemon.write_config();
  box.daemon.launch({}, "ulimit -Sn 256; ulimit -Hn 1024;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  hold(500);
  EXPECT_EQ(served(), 500U);
}

// Clients hold all that they can get, and the rest goes on: the admin socket, calls, commits.
TEST_F(Flood, P11ClientsLeaveDescriptorsForTheRest) {
  box.daemon.serve = {{"max_connections_per_uid", "1000"}};
  box.daemon.write_config();
  box.daemon.launch({}, "ulimit -n 400;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  EXPECT_TRUE(box.daemon.comes_to_say("max_connections = 1024 needs more than 400 open files"));
  const std::string before = box.daemon.token("community_member_id=1");
  hold(450);
  const Reply reply = box.daemon.admin(post("/v1/members/id:1/rotate"));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(box.daemon.admin(get("/v1/status")).status, 200);
  held.clear();
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  EXPECT_NE(box.daemon.token("community_member_id=1"), before);
  EXPECT_THAT(box.daemon.process().output(), Not(HasSubstr("Too many open files")));
}

TEST_F(Flood, P11TooFewDescriptorsAreSaidAtTheStart) {
  box.daemon.write_config();
  box.daemon.launch({}, "ulimit -n 120;");
  EXPECT_EQ(box.daemon.process().wait(), 78);
  EXPECT_TRUE(box.daemon.comes_to_say("120 open files"));
}

// P11: whatever the token socket's mode and group, and at every moment of the socket's life.
TEST_F(Flood, P11TheAdminSocketIsTheDaemonsOwnAtEveryMoment) {
  box.daemon.serve = {{"token_socket_mode", "\"0666\""}, {"token_socket_group", "\"nogroup\""}};
  box.daemon.write_config();
  box.daemon.launch({}, "umask 000;");
  std::size_t looks = 0;
  const auto is_ours = [&] {
    struct stat found{};
    if (::lstat(box.daemon.admin_socket().c_str(), &found) != 0) return false;
    ++looks;
    EXPECT_EQ(found.st_mode & 07777U, 0600U);
    EXPECT_EQ(found.st_uid, ::geteuid());
    EXPECT_EQ(found.st_gid, ::getegid());
    return !HasFailure();
  };
  ASSERT_TRUE(eventually([&] { return is_ours() && looks > 0; }));
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  EXPECT_TRUE(is_ours());
  EXPECT_EQ(box.daemon.admin(post("/v1/roster/reload")).status, 200);
  EXPECT_TRUE(is_ours());
  box.daemon.kill9();
  EXPECT_TRUE(is_ours()) << "the file that a crash leaves";
  ASSERT_TRUE(box.daemon.start());  // which makes it anew
  EXPECT_TRUE(is_ours());
}

}  // namespace
}  // namespace rota::e2e
