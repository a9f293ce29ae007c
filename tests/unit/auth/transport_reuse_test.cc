#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/unit/auth/transport_fixture.h"

namespace rota {
namespace {

TEST(TransportReuse, CallsShareAConnection) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(connection.read_request().has_value());
      connection.write(http_reply(200, std::to_string(i)));
    }
  });
  TransportLoop loop(options_for(server.url()));
  for (int i = 0; i < 3; ++i) {
    const auto result = loop.send(refresh_request());
    ASSERT_TRUE(result.has_value()) << result.error().why;
    EXPECT_EQ(result->body.reveal(), std::to_string(i));
  }
  loop.destroy_transport();
  server.finish();
  EXPECT_EQ(server.unaccepted_bytes(), "");
}

TEST(TransportReuse, CallsRunSideBySideUpToTheLimit) {
  constexpr int kCalls = 6;
  constexpr int kConnections = 3;
  ScriptedServer server([](ScriptedServer& s) {
    std::vector<WireConnection> connections;
    for (int i = 0; i < kConnections; ++i) connections.push_back(s.accept());
    for (int round = 0; round < kCalls / kConnections; ++round) {
      // All are read before the first is answered: they were in flight together.
      for (auto& connection : connections) EXPECT_TRUE(connection.read_request().has_value());
      for (auto& connection : connections) connection.write(http_reply(200, "x"));
    }
  });
  HeadlessAuthOptions options = options_for(server.url());
  options.connections_max = kConnections;
  TransportLoop loop(options);
  for (int i = 0; i < kCalls; ++i) loop.start(refresh_request());
  loop.run_until(kCalls);
  for (const auto& result : loop.results()) EXPECT_TRUE(result.has_value());
  loop.destroy_transport();
  server.finish();
  EXPECT_EQ(server.unaccepted_bytes(), "");
}

enum class End { kClose, kReset };

// A second request on a kept connection is read whole, and the connection ends without a reply.
// libcurl would send it again on a new connection; here the call must fail, seen once (P7).
void expect_seen_once(End end) {
  int requests = 0;
  ScriptedServer server([&requests, end](ScriptedServer& s) {
    auto connection = s.accept();
    if (connection.read_request()) ++requests;
    connection.write(http_reply(200, "first"));
    if (connection.read_request()) ++requests;
    if (end == End::kClose) connection.close();
    if (end == End::kReset) connection.reset();
  });
  {
    TransportLoop loop(options_for(server.url()));
    ASSERT_TRUE(loop.send(refresh_request()).has_value());
    const auto result = loop.send(refresh_request());
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().reason, TransientReason::kNoReply) << result.error().why;
  }
  server.finish();
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(server.unaccepted_bytes(), "");
}

TEST(TransportReuse, P7AKeptConnectionThatClosesInACallIsNotTriedAgain) {
  expect_seen_once(End::kClose);
}

TEST(TransportReuse, P7AKeptConnectionThatResetsInACallIsNotTriedAgain) {
  expect_seen_once(End::kReset);
}

// A part of the body is enough: nothing may be sent again.
TEST(TransportReuse, P7AKeptConnectionThatDiesWithinTheBodyIsNotTriedAgain) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    EXPECT_TRUE(connection.read_request().has_value());
    connection.write(http_reply(200, "first"));
    EXPECT_TRUE(connection.read_head().has_value());
    EXPECT_TRUE(connection.wait_for_byte());
    connection.reset();
  });
  TransportLoop loop(options_for(server.url()));
  ASSERT_TRUE(loop.send(refresh_request()).has_value());
  // Large enough to be still on its way when the connection dies.
  const auto result = loop.send(refresh_request(std::string(8 * 1024 * 1024, 'x')));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, TransientReason::kNoReply) << result.error().why;
  loop.destroy_transport();
  server.finish();
  EXPECT_EQ(server.unaccepted_bytes(), "");
}

// A connection that dies before the body was asked for: the head alone has no effect, so no doubt
// is left; but the head too is sent once only.
TEST(TransportReuse, P7NoRequestIsBegunTwice) {
  int heads = 0;
  ScriptedServer server([&heads](ScriptedServer& s) {
    auto connection = s.accept();
    if (connection.read_request()) ++heads;
    connection.write(http_reply(200, "first"));
    if (connection.read_head()) ++heads;
    connection.reset();
  });
  TransportLoop loop(options_for(server.url()));
  ASSERT_TRUE(loop.send(refresh_request()).has_value());
  // Whether a byte of the body has left by then is chance.
  EXPECT_FALSE(loop.send(refresh_request()).has_value());
  loop.destroy_transport();
  server.finish();
  EXPECT_EQ(heads, 2);
  EXPECT_EQ(server.unaccepted_bytes(), "");
}

// A kept connection that was closed between two calls is seen to be dead before anything is sent.
TEST(TransportReuse, AConnectionThatClosedWhileIdleIsReplaced) {
  std::promise<void> closed;
  int requests = 0;
  ScriptedServer server([&closed, &requests](ScriptedServer& s) {
    {
      auto connection = s.accept();
      if (connection.read_request()) ++requests;
      connection.write(http_reply(200, "first"));
    }
    closed.set_value();
    auto connection = s.accept();
    if (connection.read_request()) ++requests;
    connection.write(http_reply(200, "second"));
  });
  TransportLoop loop(options_for(server.url()));
  ASSERT_TRUE(loop.send(refresh_request()).has_value());
  closed.get_future().wait();
  const auto result = loop.send(refresh_request());
  ASSERT_TRUE(result.has_value()) << result.error().why;
  EXPECT_EQ(result->body.reveal(), "second");
  loop.destroy_transport();
  server.finish();
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(server.unaccepted_bytes(), "");
}

}  // namespace
}  // namespace rota
