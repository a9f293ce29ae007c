#include "serve/session.h"

#include <gmock/gmock.h>

#include <string>

#include "unit/serve/session_fixture.h"

// What one connection may take: bytes, requests ahead, waits and time.

namespace rota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class SessionLimitsTest : public SessionTest {};

TEST_F(SessionLimitsTest, RefusesAHeadOrABodyThatIsTooLarge) {
  for (const std::string& request :
       {"GET /" + std::string(kRequestHeadBytesMax, 'a'),
        std::string("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n")}) {
    const auto client = connect();
    client->send(request);
    const ReceivedReply reply = next_reply(*client);
    EXPECT_EQ(reply.status, 431);
    EXPECT_THAT(reply.body, HasSubstr("\"request_too_large\""));
    wait_for_end(*client);
  }
}

TEST_F(SessionLimitsTest, LimitsTheWaitsOfOneConnection) {
  const auto client = connect();
  for (std::size_t i = 0; i < kWaitsPerConnectionMax + 4; ++i) client->send(token_request(9));
  wait_for_waits(kWaitsPerConnectionMax);
  settle();
  EXPECT_EQ(tokens.waiting(), kWaitsPerConnectionMax);
  tokens.finish(1, kServe);
  run_until([&] { return tokens.requests.size() == kWaitsPerConnectionMax + 1; });
  tokens.finish_all(kServe);
  settle();
  tokens.finish_all(kServe);
  for (std::size_t i = 0; i < kWaitsPerConnectionMax + 4; ++i) {
    EXPECT_EQ(next_reply(*client).status, 503) << i;
  }
  EXPECT_EQ(tokens.requests.size(), kWaitsPerConnectionMax + 4);
}

// Requests behind a wait are taken up to a limit; the rest stays with the kernel, and then the
// client.
TEST_F(SessionLimitsTest, ReadsAheadNoFurtherThanItsLimit) {
  const auto client = connect();
  client->send(token_request(9));
  wait_for_waits(1);
  for (std::size_t i = 0; i < kRequestsReadAheadMax + 5; ++i) {
    client->send(token_request(i == kRequestsReadAheadMax - 1 ? 9 : 1));
  }
  // A second wait stands where the limit is passed: it must not have begun.
  settle();
  EXPECT_EQ(tokens.waiting(), 1U);
  tokens.finish(1, kServe);
  EXPECT_EQ(next_reply(*client).status, 503);
  wait_for_waits(1);
  for (std::size_t i = 0; i + 1 < kRequestsReadAheadMax; ++i) {
    ASSERT_EQ(next_reply(*client).status, 200) << i;
  }
  tokens.finish(2, kServe);
  EXPECT_EQ(next_reply(*client).status, 503);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(next_reply(*client).status, 200) << i;
}

TEST_F(SessionLimitsTest, StopsTakingFromAClientThatDoesNotRead) {
  const auto client = connect();
  const std::string request = token_request(1);
  // Until neither side moves any more.
  std::size_t requests = 0;
  std::string rest;
  for (bool moved = true; moved;) {
    if (rest.empty()) {
      rest = request;
      ++requests;
    }
    const std::size_t sent = client->send(rest);
    rest.erase(0, sent);
    moved = sent != 0;
    if (!moved) {
      settle();
      const std::size_t after = client->send(rest);
      rest.erase(0, after);
      moved = after != 0;
    }
    ASSERT_LT(requests, 1'000'000U) << "the daemon swallows without end";
  }
  // And everything is answered as soon as the client reads.
  const std::size_t whole = requests - (rest.empty() ? 0 : 1);
  for (std::size_t i = 0; i < whole; ++i) {
    auto reply = client->take_reply();
    if (!reply) reply = next_reply(*client);
    ASSERT_EQ(reply->status, 200) << i;
  }
  expect_silence(*client);
}

TEST_F(SessionLimitsTest, ClosesAClientThatReadsNothingForTooLong) {
  const auto client = connect();
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += token_request(1);
  for (int i = 0; i < 100; ++i) {
    client->send(requests);
    settle();
  }
  clock.advance(seconds{30} - milliseconds{1});
  server->sweep();
  EXPECT_EQ(server->connections(), 1U);
  // Reading begins the time anew.
  for (int i = 0; i < 40; ++i) client->receive();
  settle();
  clock.advance(milliseconds{1});
  server->sweep();
  EXPECT_EQ(server->connections(), 1U);
  clock.advance(seconds{30});
  server->sweep();
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(SessionLimitsTest, ClosesAfterASlowHead) {
  const auto client = connect();
  client->send("GET /healthz HT");
  settle();
  clock.advance(seconds{5} - milliseconds{1});
  server->sweep();
  // More bytes of the same request buy no more time.
  client->send("TP/1.1\r\n");
  expect_silence(*client);
  clock.advance(milliseconds{1});
  server->sweep();
  wait_for_end(*client);
}

TEST_F(SessionLimitsTest, TheTimeOfAHeadBeginsWithItsOwnFirstByte) {
  const auto client = connect();
  client->send("GET /healthz HTTP/1.1\r\n");
  settle();
  clock.advance(seconds{4});
  client->send("Host: x\r\n\r\nGET /he");
  EXPECT_EQ(next_reply(*client).status, 200);
  clock.advance(seconds{4});
  server->sweep();
  client->send("althz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(next_reply(*client).status, 200);
  clock.advance(seconds{6});
  server->sweep();
  expect_silence(*client);
}

TEST_F(SessionLimitsTest, ClosesAnIdleConnection) {
  const auto client = connect();
  settle();
  clock.advance(minutes{4});
  client->send(token_request(1));
  EXPECT_EQ(next_reply(*client).status, 200);
  clock.advance(minutes{5} - milliseconds{1});
  server->sweep();
  expect_silence(*client);
  clock.advance(milliseconds{1});
  server->sweep();
  wait_for_end(*client);
}

TEST_F(SessionLimitsTest, AWaitIsNotIdle) {
  const auto client = connect();
  client->send(token_request(9));
  wait_for_waits(1);
  clock.advance(hours{1});
  server->sweep();
  expect_silence(*client);
  tokens.publish(9, "fresh", hours{1});
  tokens.finish(1, kServe);
  EXPECT_EQ(next_reply(*client).body, token_body("fresh"));
  clock.advance(minutes{5} - milliseconds{1});
  server->sweep();
  expect_silence(*client);
}

}  // namespace
}  // namespace rota
