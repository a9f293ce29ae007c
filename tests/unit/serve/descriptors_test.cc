#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>
#include <deque>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "serve/client_socket.h"
#include "serve/socket_closer.h"
#include "support/passed_descriptors.h"
#include "unit/serve/harness.h"

// What clients pass to us is not taken, and never closed on the loop. A close that blocks would
// block for an hour: such a test does not fail, it is ended.

namespace rota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::LingeringSocket;
using testing::send_descriptors;

constexpr std::string_view kRequest =
    "GET /v1/token?community_member_id=1 HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr int kPassRights = 83;  // SO_PASSRIGHTS

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

// A client and, at the other end, a socket of ours, as old kernels have it: descriptors arrive.
class ClientSocketTest : public ::testing::Test {
 protected:
  ClientSocketTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    client = ends[0];
    socket = std::make_unique<ClientSocket>(ends[1], true, closer);
    const int yes = 1;
    (void)::setsockopt(socket->fd(), SOL_SOCKET, kPassRights, &yes, sizeof(yes));
  }
  ~ClientSocketTest() override { ::close(client); }

  // Sends a descriptor whose last close will be the receiver's.
  void pass(std::string_view bytes, int flags = 0) {
    LingeringSocket& one = passed.emplace_back();
    EXPECT_EQ(send_descriptors(client, bytes, {one.fd()}, flags), std::ssize(bytes));
    one.let_go();
  }
  std::string receive() {
    std::array<char, 4'096> bytes{};
    const ssize_t count = socket->receive(bytes);
    return count < 0 ? std::strerror(errno) : std::string(bytes.data(), bytes.data() + count);
  }
  void wait_until_closed() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (closer.pending() != 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "the close is not interrupted";
      std::this_thread::yield();
    }
  }

  std::deque<LingeringSocket> passed;
  SocketCloser closer;
  int client = -1;
  std::unique_ptr<ClientSocket> socket;
};

TEST_F(ClientSocketTest, P11ReadsWhatHasNoDescriptor) {
  ASSERT_EQ(::send(client, "one", 3, 0), 3);
  ASSERT_EQ(::send(client, "two", 3, 0), 3);
  EXPECT_EQ(receive(), "onetwo");
  EXPECT_EQ(receive(), std::strerror(EAGAIN));
  ::shutdown(client, SHUT_WR);
  EXPECT_EQ(receive(), "");
}

TEST_F(ClientSocketTest, P11TakesNoDescriptorIn) {
  pass("x");
  const std::size_t before = open_descriptors();
  EXPECT_EQ(receive(), std::strerror(EBADMSG));
  EXPECT_EQ(receive(), std::strerror(EBADMSG));
  EXPECT_EQ(open_descriptors(), before);
  socket->close();
  wait_until_closed();
}

TEST_F(ClientSocketTest, P11FindsADescriptorBehindARequest) {
  ASSERT_EQ(::send(client, kRequest.data(), kRequest.size(), 0), std::ssize(kRequest));
  pass("x");
  EXPECT_EQ(receive(), std::strerror(EBADMSG));
  socket->close();
  wait_until_closed();
}

TEST_F(ClientSocketTest, P11FindsADescriptorOutOfBand) {
  pass("x", MSG_OOB);
  EXPECT_EQ(receive(), std::strerror(EBADMSG));
  socket->close();
  wait_until_closed();
}

// Refused, idle or at the end of the daemon: nobody has read what is there.
TEST_F(ClientSocketTest, P11ClosesWithDescriptorsUnread) {
  std::vector<int> many;
  LingeringSocket& one = passed.emplace_back();
  for (int i = 0; i < 200; ++i) many.push_back(::dup(one.fd()));
  EXPECT_EQ(send_descriptors(client, "x", many), 1);
  one.let_go();
  for (const int fd : many) ::close(fd);
  pass("y", MSG_OOB);
  socket->close();
  wait_until_closed();
}

TEST_F(ClientSocketTest, ClosesAtOnceWhatHasNothingUnread) {
  socket->close();
  EXPECT_EQ(closer.pending(), 0U);
  EXPECT_EQ(::send(client, "x", 1, MSG_NOSIGNAL), -1);
}

// With as many as it takes at a time; its end waits for none of them.
TEST(SocketCloser, P11SeveralThatBlockDelayNeitherEachOtherNorTheEnd) {
  std::deque<LingeringSocket> passed;
  std::vector<int> clients;
  SocketCloser closer;
  for (std::size_t i = 0; i < SocketCloser::kPendingMax; ++i) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    LingeringSocket& one = passed.emplace_back();
    ASSERT_EQ(send_descriptors(ends[0], "x", {one.fd()}), 1);
    one.let_go();
    clients.push_back(ends[0]);
    closer.close(ends[1]);
  }
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (closer.pending() != 0 && std::chrono::steady_clock::now() < limit) {
    std::this_thread::yield();
  }
  EXPECT_EQ(closer.pending(), 0U);
  for (const int client : clients) ::close(client);
}

class DescriptorsTest : public ServeTest {
 protected:
  void SetUp() override { tokens.publish(1, "one", hours{1}); }

  // A listening socket on which clients wait before the daemon has it.
  int listen_early() const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(fd, 100), 0);
    return fd;
  }
  void adopt(int fd, ServerOptions options = {}) {
    auto listen = ListenSocket::adopt(fd);
    ASSERT_TRUE(listen);
    start_on(*std::move(listen), options);
  }
  void expect_served() {
    const auto client = connect();
    client->get("/v1/token?community_member_id=1");
    EXPECT_EQ(next_reply(*client).status, 200);
  }
  std::unique_ptr<Client> attacker(std::string_view bytes) {
    auto client = connect();
    LingeringSocket& one = passed.emplace_back();
    EXPECT_EQ(send_descriptors(client->fd(), bytes, {one.fd()}), std::ssize(bytes));
    one.let_go();
    return client;
  }

  std::deque<LingeringSocket> passed;
};

// The kernel refuses, or, before Linux 6.16, the server ends who sent it.
TEST_F(DescriptorsTest, P11ADescriptorIsRefusedOrEndsTheConnection) {
  start();
  const auto client = connect();
  LingeringSocket& one = passed.emplace_back();
  const ssize_t sent = send_descriptors(client->fd(), kRequest, {one.fd()});
  if (sent < 0) {
    EXPECT_EQ(errno, EPERM);
  } else {
    one.let_go();
    wait_for_end(*client);
    EXPECT_EQ(client->received(), "");
  }
  expect_served();
}

TEST_F(DescriptorsTest, P11WhoHasPassedOneBeforeTheStartIsEnded) {
  const int fd = listen_early();
  std::vector<std::unique_ptr<Client>> attackers;
  for (int i = 0; i < 3; ++i) attackers.push_back(attacker(kRequest));
  attackers.push_back(attacker("GET"));
  adopt(fd);
  expect_served();
  for (const auto& each : attackers) {
    wait_for_end(*each);
    EXPECT_EQ(each->received(), "");
  }
  EXPECT_TRUE(tokens.fetched.size() == 1);
}

TEST_F(DescriptorsTest, P11WhoIsRefusedIsNotClosedOnTheLoop) {
  const int fd = listen_early();
  const auto first = connect();
  const auto second = attacker(kRequest);
  adopt(fd, {.max_connections = 1, .times = {}});
  EXPECT_EQ(next_reply(*second).status, 503);
  first->get("/healthz");
  EXPECT_EQ(next_reply(*first).status, 200);
}

TEST_F(DescriptorsTest, P11AShutdownDoesNotWaitForThem) {
  const int fd = listen_early();
  const auto client = attacker(kRequest);
  adopt(fd);
  bool done = false;
  server->shutdown({.farewell = milliseconds{1}, .grace = milliseconds{1}},
                   [&done] { done = true; });
  run_until([&] { return done; });
  server.reset();
}

}  // namespace
}  // namespace rota
