#include "serve/server.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <string>
#include <thread>

#include "unit/serve/harness.h"

namespace rota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::string_view kToken1 = "/v1/token?community_member_id=1";

// The clock of the machine, for the one test in which the server's own timer must fire.
class RealClock : public Clock {
 public:
  Now now() const override {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return {WallTime{}, BootTime{std::chrono::duration_cast<Duration>(since)}};
  }
};

class ServerTest : public ServeTest {
 protected:
  void SetUp() override { tokens.publish(1, "one", hours{1}); }
};

TEST_F(ServerTest, AcceptsABurst) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(connect());
  for (const auto& client : clients) client->get(kToken1);
  for (const auto& client : clients) EXPECT_EQ(next_reply(*client).status, 200);
  EXPECT_EQ(server->connections(), 100U);
}

// What the kernel knows of a connection is who connected, and that is a thread's own matter.
std::vector<std::unique_ptr<Client>> connect_as(uid_t uid, std::size_t clients,
                                                const std::string& path) {
  std::vector<std::unique_ptr<Client>> connected;
  std::thread([&] {
    ASSERT_EQ(::syscall(SYS_setresuid, uid, uid, uid), 0) << std::strerror(errno);
    for (std::size_t i = 0; i < clients; ++i) connected.push_back(std::make_unique<Client>(path));
  }).join();
  return connected;
}

TEST_F(ServerTest, ACrowdOfOneUserIsNotBeforeAnother) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can connect as other users";
  start();
  const auto crowd = connect_as(65'534, 200, path());
  const auto other = connect();
  run_until([&] { return server->connections() == crowd.size() + 1; });
  settle();
  for (const auto& client : crowd) client->get("/healthz");
  other->get(kToken1);
  EXPECT_EQ(next_reply(*other).status, 200);
  std::size_t answered = 0;
  for (const auto& client : crowd) {
    client->receive();
    if (client->take_reply()) ++answered;
  }
  EXPECT_LT(answered, crowd.size() / 2);
  for (const auto& client : crowd) client->hang_up();
  run_until([&] { return server->connections() == 1; });
  const auto again = connect_as(65'534, 1, path());  // as one whom the server has not seen
  again.front()->get("/healthz");
  EXPECT_EQ(next_reply(*again.front()).status, 200);
}

TEST_F(ServerTest, ACrowdOfOneProcessIsNotBeforeAnother) {
  constexpr std::size_t kCrowd = 200;
  start();
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const std::string socket_path = path();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(ends[0]);
    std::vector<std::unique_ptr<Client>> crowd;
    for (std::size_t i = 0; i < kCrowd; ++i) crowd.push_back(std::make_unique<Client>(socket_path));
    char go = 0;
    if (::read(ends[1], &go, 1) != 1) ::_exit(1);
    for (const auto& client : crowd) client->get(kToken1);
    if (::write(ends[1], "x", 1) != 1) ::_exit(2);
    ::_exit(::read(ends[1], &go, 1) == 0 ? 0 : 3);
  }
  ::close(ends[1]);
  const auto other = connect();
  run_until([&] { return server->connections() == kCrowd + 1; });
  settle();
  char all_sent = 0;
  ASSERT_EQ(::write(ends[0], "x", 1), 1);
  ASSERT_EQ(::read(ends[0], &all_sent, 1), 1);
  other->get(kToken1);
  EXPECT_EQ(next_reply(*other).status, 200);
  EXPECT_LT(tokens.fetched.size(), kCrowd / 2);
  ::close(ends[0]);
  int status = -1;
  run_until([&] { return ::waitpid(child, &status, WNOHANG) == child; });
  EXPECT_EQ(status, 0);
  run_until([&] { return server->connections() == 1; });
}

// Not in a build with UBSan, which opens a pipe to look at an object's type: here there is no
// descriptor for one.
#if !__has_feature(undefined_behavior_sanitizer)
// Without a descriptor for it a client stays in the queue; the server rests and tries again.
TEST_F(ServerTest, MakesItsSocketAgainAndLosesNobodyInTheQueue) {
  start();
  const auto before = connect();
  std::filesystem::remove(path());
  ASSERT_TRUE(server->keep_in_place());
  const auto after = connect();
  for (Client* client : {before.get(), after.get()}) {
    client->get(kToken1);
    EXPECT_EQ(next_reply(*client).status, 200);
  }
  EXPECT_TRUE(server->keep_in_place()) << "nothing to do";
}

TEST_F(ServerTest, SaysThatAnotherFileIsInItsPlace) {
  start();
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  const auto kept = server->keep_in_place();
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().kind, ErrorKind::kConfig);
  std::filesystem::remove(path());
  EXPECT_TRUE(server->keep_in_place());
  const auto client = connect();
  client->get(kToken1);
  EXPECT_EQ(next_reply(*client).status, 200);
}

TEST_F(ServerTest, RestsWhenDescriptorsRunOut) {
  start({.times = {}, .sweep_spacing = milliseconds{1}, .accept_rest = milliseconds{1}});
  const auto client = connect();
  client->get(kToken1);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  run_until([&] { return observer.failures.size() == 3; });
  const std::size_t at_once = loop.poll();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LE(at_once, 1U) << "it tries again without a rest";
  EXPECT_EQ(observer.failures.front(), std::errc::too_many_files_open);
  EXPECT_EQ(next_reply(*client).status, 200);
}
#endif

TEST_F(ServerTest, ClosesWhatIsOverdueByItsOwnTimer) {
  const RealClock real;
  auto listen = ListenSocket::bind(path(), 0600, std::nullopt);
  ASSERT_TRUE(listen);
  auto made = Server::create(
      loop, *std::move(listen), frontend, real, observer,
      {.times = {.head = milliseconds{2}, .idle = hours{1}}, .sweep_spacing = milliseconds{1}});
  ASSERT_TRUE(made);
  server = *std::move(made);
  server->start();
  const auto slow = connect();
  const auto idle = connect();
  slow->send("GET / HT");
  wait_for_end(*slow);
  expect_silence(*idle);
}

TEST_F(ServerTest, RefusesAForeignUserWhoeverIsAskedFor) {
  // As root the client becomes nobody; otherwise the daemon claims to be somebody else.
  const bool root = ::geteuid() == 0;
  policy = AccessPolicy(root ? 990 : ::geteuid() + 1);
  start();
  int answers[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, answers), 0);
  const std::string socket_path = path();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (root && (::setgid(65'534) != 0 || ::setuid(65'534) != 0)) ::_exit(2);
    const int fd = connect_to(socket_path, 0);
    const std::string_view requests =
        "GET /v1/token?community_member_id=1 HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /v1/token?community_member_id=2 HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    if (::send(fd, requests.data(), requests.size(), MSG_NOSIGNAL) < 0) ::_exit(3);
    char bytes[4'096];
    for (ssize_t n = 0; (n = ::recv(fd, bytes, sizeof(bytes), 0)) > 0;) {
      if (::send(answers[1], bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL) != n) ::_exit(4);
    }
    ::_exit(0);
  }
  ::close(answers[1]);
  int status = -1;
  run_until([&] { return ::waitpid(child, &status, WNOHANG) == child; });
  EXPECT_EQ(status, 0);
  std::string got(1 << 16, '\0');
  const ssize_t count = ::recv(answers[0], got.data(), got.size(), 0);
  ASSERT_GT(count, 0);
  got.resize(static_cast<std::size_t>(count));
  ::close(answers[0]);
  const auto second = got.find("HTTP/1.1 ", 1);
  const auto third = got.find("HTTP/1.1 ", second + 1);
  ASSERT_NE(third, std::string::npos) << got;
  EXPECT_THAT(got, testing::StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(got.substr(0, second), got.substr(second, third - second))
      << "the refusal tells who exists";
  EXPECT_THAT(got.substr(third), testing::StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ServesTheAdminSocket) {
  const auto admin_frontend = Frontend::admin_socket(tokens, policy, health, admin);
  auto listen = ListenSocket::bind(path(), 0600, std::nullopt);
  ASSERT_TRUE(listen);
  auto made = Server::create(loop, *std::move(listen), admin_frontend, clock, observer, {});
  ASSERT_TRUE(made);
  server = *std::move(made);
  server->start();
  auto client = connect();
  client->send("POST /v1/members/id:42/revoke HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
  client->get("/v1/status");
  run_until([&] { return admin.report_done != nullptr; });
  expect_silence(*client);
  admin.report_done(OperatorReport{.end = OperationEnd::kRevoked, .revocations = {}});
  EXPECT_THAT(next_reply(*client).body, HasSubstr("\"done\":true"));
  EXPECT_THAT(next_reply(*client).body, HasSubstr("\"ready\":true"));

  // The order stands when its client has gone; its report goes nowhere.
  client->send("POST /v1/roster/reload HTTP/1.1\r\nHost: x\r\n\r\n");
  run_until([&] { return admin.reload_done != nullptr; });
  client->hang_up();
  run_until([&] { return server->connections() == 0; });
  admin.reload_done(std::string("{}"));
}

TEST_F(ServerTest, DestructionCancelsWhatWaits) {
  start();
  tokens.publish(9, "stale", seconds{0});
  const auto waiting = connect();
  waiting->get("/v1/token?community_member_id=9");
  run_until([&] { return tokens.waiting() == 1; });
  server.reset();
  EXPECT_EQ(tokens.cancelled, 1U);
  settle();
  wait_for_end(*waiting);
}

}  // namespace
}  // namespace rota
