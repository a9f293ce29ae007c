#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "unit/serve/harness.h"

// The listener for health and metrics.

namespace rota {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

sockaddr_in name_of(const ListenSocket& listen) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  EXPECT_EQ(::getsockname(listen.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return address;
}

class TcpTest : public ServeTest {
 protected:
  void SetUp() override {
    tokens.publish(1, "one", std::chrono::hours{1});
    auto listen = ListenSocket::bind_tcp("127.0.0.1", 0);  // any port that is free
    ASSERT_TRUE(listen) << listen.error().message;
    address = name_of(**listen);
    auto made = Server::create(loop, *std::move(listen), metrics_frontend, clock, observer,
                               {.max_connections = 2, .max_connections_per_uid = 2, .times = {}});
    ASSERT_TRUE(made) << made.error().message;
    server = *std::move(made);
    server->start();
  }
  std::unique_ptr<Client> connect_tcp() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return std::make_unique<Client>(fd);
  }
  std::uint16_t port() const { return ntohs(address.sin_port); }

  const Frontend metrics_frontend = Frontend::metrics_port(health);
  sockaddr_in address{};
};

TEST_F(TcpTest, AnswersHealthAndMetricsAndNothingElse) {
  const auto client = connect_tcp();
  client->get("/metrics");
  client->get("/healthz");
  client->get("/v1/token?community_member_id=1");
  client->get("/v1/status");
  const ReceivedReply metrics = next_reply(*client);
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.head, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(metrics.body, HasSubstr("\nrota_ready 1\n"));
  EXPECT_EQ(next_reply(*client).status, 200);
  EXPECT_EQ(next_reply(*client).status, 404);
  EXPECT_EQ(next_reply(*client).status, 404);
  health.ready = false;
  client->get("/readyz");
  EXPECT_EQ(next_reply(*client).status, 503);
}

TEST_F(TcpTest, TheParserAndTheLimitsAreTheSame) {
  const auto crooked = connect_tcp();
  crooked->send("GET /metrics HTTP/1.1\nHost: x\n\n");
  EXPECT_EQ(next_reply(*crooked).status, 400);
  wait_for_end(*crooked);
  const auto large = connect_tcp();
  large->send("GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + std::string(kRequestHeadBytesMax, 'x'));
  EXPECT_EQ(next_reply(*large).status, 431);
  wait_for_end(*large);
}

// However many do nothing, whoever asks is answered: nothing else tells one from the other.
TEST_F(TcpTest, P11WhoComesTakesThePlaceOfTheIdlest) {
  const auto first = connect_tcp();
  run_until([&] { return server->connections() == 1; });
  clock.advance(std::chrono::seconds{1});
  const auto second = connect_tcp();
  second->send("GET /metrics");  // and no more
  run_until([&] { return server->connections() == 2; });
  settle();
  clock.advance(std::chrono::seconds{1});
  const auto third = connect_tcp();
  third->get("/metrics");
  EXPECT_EQ(next_reply(*third).status, 200);
  wait_for_end(*first);
  clock.advance(std::chrono::seconds{1});
  const auto fourth = connect_tcp();
  fourth->get("/metrics");
  EXPECT_EQ(next_reply(*fourth).status, 200);
  wait_for_end(*second);
  third->get("/metrics");
  EXPECT_EQ(next_reply(*third).status, 200);
  EXPECT_EQ(server->connections(), 2U);
  EXPECT_THAT(observer.refused, testing::IsEmpty());
}

TEST_F(TcpTest, ShutdownLeavesThePortFree) {
  const auto client = connect_tcp();
  run_until([&] { return server->connections() == 1; });
  bool done = false;
  server->shutdown({.farewell = {}, .grace = std::chrono::hours{1}}, [&] { done = true; });
  run_until([&] { return done; });
  wait_for_end(*client);
  const auto again = ListenSocket::bind_tcp("127.0.0.1", port());
  EXPECT_TRUE(again) << again.error().message;
}

TEST_F(TcpTest, SaysWhyItCannotListen) {
  struct Case {
    const char* host;
    std::uint16_t port;
    ErrorKind kind;
    const char* says;
  };
  for (const Case& each :
       {Case{"127.0.0.1", port(), ErrorKind::kBusy, "another process listens there"},
        // Of the block for documentation, RFC 5737: no machine has it.
        Case{"192.0.2.1", 9'468, ErrorKind::kIo, "192.0.2.1:9468: cannot listen there"},
        Case{"localhost", 9'468, ErrorKind::kConfig, "localhost:9468: is not a numeric address"},
        Case{"", 9'468, ErrorKind::kConfig, "is not a numeric address"}}) {
    const auto listen = ListenSocket::bind_tcp(each.host, each.port);
    ASSERT_FALSE(listen) << each.host;
    EXPECT_EQ(listen.error().kind, each.kind) << listen.error().message;
    EXPECT_THAT(listen.error().message, HasSubstr(each.says));
    EXPECT_THAT(listen.error().message, StartsWith(each.host));
  }
}

// Why the kernel lets nobody listen at this IPv6 address, as an operator reads it; "" if it does.
std::string refusal_at(const std::string& host) {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return "[" + host + "]:0: cannot open a socket: " + std::strerror(errno);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  EXPECT_EQ(::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr), 1);
  const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  ::close(fd);
  return bound == 0 ? "" : "[" + host + "]:0: cannot listen there: " + std::strerror(error);
}

TEST(TcpV6, ListensWhereTheMachineHasTheAddressAndSaysWhyNotElsewhere) {
  // The second is of the block for documentation, RFC 3849: no machine has it.
  for (const std::string host : {"::1", "2001:db8::1"}) {
    const std::string refusal = refusal_at(host);
    const auto listen = ListenSocket::bind_tcp(host, 0);
    ASSERT_EQ(listen.has_value(), refusal.empty()) << host << ": " << refusal;
    if (!listen) {
      EXPECT_EQ(listen.error().kind, ErrorKind::kIo);
      EXPECT_EQ(listen.error().message, refusal);
      continue;
    }
    const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 address{};
    socklen_t size = sizeof(address);
    ASSERT_EQ(::getsockname((*listen)->fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
    ::close(fd);
  }
}

}  // namespace
}  // namespace rota
