#include "http/limits.h"

#include <gmock/gmock.h>

#include <string>

#include "serve/turn.h"
#include "unit/serve/harness.h"

// Each limit of limits.h has a test here that bears its name: what lies at the limit passes, what
// lies past it does not, and the daemon serves on.

namespace rota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr WaitAnswer kServe{.result = WaitResult::kServe, .retry_after = {}};

std::string token_request(std::int64_t id) {
  return "GET /v1/token?community_member_id=" + std::to_string(id) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}
// The head of a request whose body comes in chunks.
std::string chunked(std::string_view fields) {
  return "POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" +
         std::string(fields) + "\r\n";
}

class LimitsTest : public ServeTest {
 protected:
  void begin(const ServerOptions& options = {}) {
    start(options);
    tokens.publish(1, "one", hours{1});
    tokens.publish(9, "stale", seconds{0});  // every request for it waits
  }
  void expect_served() {
    const auto other = connect();
    other->send(token_request(1));
    EXPECT_EQ(next_reply(*other).status, 200);
  }
  void expect_refusal(Client& client, int status, std::string_view code) {
    const ReceivedReply reply = next_reply(client);
    EXPECT_EQ(reply.status, status);
    EXPECT_THAT(reply.body, HasSubstr(code));
    EXPECT_THAT(reply.head, HasSubstr("\r\nConnection: close\r\n"));
    wait_for_end(client);
    EXPECT_EQ(client.received(), "");
  }
};

TEST_F(LimitsTest, P11RequestHeadBytesMax) {
  begin();
  const std::string first = "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ";
  const auto head_of = [&first](std::size_t bytes) {
    return first + std::string(bytes - first.size() - 4, 'x') + "\r\n\r\n";
  };
  const auto client = connect();
  client->send(head_of(kRequestHeadBytesMax));
  EXPECT_EQ(next_reply(*client).status, 200);
  client->send(head_of(kRequestHeadBytesMax + 1) + token_request(1));
  expect_refusal(*client, 431, "\"request_too_large\"");
  // One without an end is refused at the limit, not waited for.
  const auto endless = connect();
  endless->send(first + std::string(kRequestHeadBytesMax - first.size(), 'x'));
  expect_refusal(*endless, 431, "\"request_too_large\"");
  expect_served();
}

TEST_F(LimitsTest, P11RequestBodyBytesMax) {
  begin();
  const auto post = [](std::size_t bytes) {
    return "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bytes) +
           "\r\n\r\n" + std::string(bytes, 'b');
  };
  const auto client = connect();
  client->send(post(kRequestBodyBytesMax));
  EXPECT_EQ(next_reply(*client).status, 405);
  client->send(post(kRequestBodyBytesMax + 1) + token_request(1));
  expect_refusal(*client, 431, "\"request_too_large\"");
  const auto chunks = connect();
  const std::string most = "1000\r\n" + std::string(kRequestBodyBytesMax, 'b') + "\r\n";
  chunks->send(chunked("") + most + "0\r\n\r\n");
  EXPECT_EQ(next_reply(*chunks).status, 405);
  chunks->send(chunked("") + most + "1\r\nb\r\n0\r\n\r\n" + token_request(1));
  expect_refusal(*chunks, 431, "\"request_too_large\"");
  expect_served();
}

TEST_F(LimitsTest, P11ChunkFramingBytesMax) {
  begin();
  const auto size_of = [](std::size_t bytes) { return std::string(bytes - 4, '0') + "\r\n\r\n"; };
  const auto client = connect();
  client->send(chunked("") + size_of(kChunkFramingBytesMax));
  EXPECT_EQ(next_reply(*client).status, 405);
  client->send(chunked("") + size_of(kChunkFramingBytesMax + 1) + token_request(1));
  expect_refusal(*client, 431, "\"request_too_large\"");
  // One without an end is refused at the limit, not waited for.
  const auto endless = connect();
  endless->send(chunked("") + "3;" + std::string(kChunkFramingBytesMax - 2, 'x'));
  expect_refusal(*endless, 431, "\"request_too_large\"");
  expect_served();
}

// The largest request that is allowed fits into the input buffer, behind others too.
TEST_F(LimitsTest, P11InputBytesMax) {
  begin();
  const std::string first = "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                            std::to_string(kRequestBodyBytesMax) + "\r\nX: ";
  const std::string largest = first + std::string(kRequestHeadBytesMax - first.size() - 4, 'x') +
                              "\r\n\r\n" + std::string(kRequestBodyBytesMax, 'b');
  const auto client = connect();
  std::string all;
  for (int i = 0; i < 5; ++i) all += token_request(1) + largest;
  EXPECT_EQ(client->send(all), all.size());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(next_reply(*client).status, 200);
    EXPECT_EQ(next_reply(*client).status, 405);
  }
  expect_silence(*client);
  // One in chunks is larger: here only its last byte completes it.
  const std::size_t filling = kRequestHeadBytesMax - chunked("X: \r\n").size();
  const std::string head = chunked("X: " + std::string(filling, 'x') + "\r\n");
  const std::string data = "1000\r\n" + std::string(kRequestBodyBytesMax, 'b') + "\r\n";
  const std::size_t left = kChunkFramingBytesMax - (data.size() - kRequestBodyBytesMax);
  const std::string chunks = head + data + std::string(left - 4, '0') + "\r\n\r\n";
  ASSERT_EQ(chunks.size(), kInputBytesMax);
  for (int i = 0; i < 3; ++i) {
    client->send(token_request(1) + chunks.substr(0, chunks.size() - 1));
    EXPECT_EQ(next_reply(*client).status, 200);
    expect_silence(*client);
    client->send(chunks.substr(chunks.size() - 1));
    EXPECT_EQ(next_reply(*client).status, 405);
  }
}

// What one sends at once is not answered at once while others wait.
TEST_F(LimitsTest, P11ReceiveBytesMax) {
  begin();
  tokens.publish(2, "two", hours{1});
  const auto first = connect();
  const auto second = connect();
  run_until([&] { return server->connections() == 2; });
  settle();
  const std::string request = token_request(1);
  std::string all;
  while (all.size() < 3 * kReceiveBytesMax) all += request;
  std::size_t before_it = 0;
  tokens.on_fetch = [&] {
    if (tokens.fetched.back().first == MemberId{2}) before_it = tokens.fetched.size() - 1;
  };
  EXPECT_EQ(first->send(all), all.size());
  second->send(token_request(2));
  EXPECT_EQ(next_reply(*second).status, 200);
  EXPECT_LE(before_it, kReceiveBytesMax / request.size());
  for (std::size_t i = 0; i < all.size() / request.size(); ++i) {
    ASSERT_EQ(next_reply(*first).status, 200);
  }
}

// However many have something to do, the loop has its other work after each turn.
TEST_F(LimitsTest, P11TurnMax) {
  begin();
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 5; ++i) crowd.push_back(connect());
  run_until([&] { return server->connections() == crowd.size(); });
  settle();
  tokens.on_fetch = [] {
    const Turn turn = Turn::after(kTurnMax);
    while (!turn.ended()) {
    }
  };
  for (const auto& client : crowd) client->send(token_request(1));
  std::size_t steps = 0;
  for (std::size_t before = 0; before < crowd.size(); before = tokens.fetched.size(), ++steps) {
    ASSERT_EQ(loop.poll_one(), 1U) << "the others are forgotten";
    ASSERT_LE(tokens.fetched.size(), before + 1);
  }
  EXPECT_GE(steps, crowd.size());
}

TEST(Turn, IsAsLongAsTheWaitForItWithinItsBounds) {
  using std::chrono::microseconds;
  EXPECT_EQ(Turn().length(), kTurnMin);
  EXPECT_EQ(Turn::after(microseconds{0}).length(), kTurnMin);
  EXPECT_EQ(Turn::after(kTurnMin + microseconds{1}).length(), kTurnMin + microseconds{1});
  EXPECT_EQ(Turn::after(seconds{1}).length(), kTurnMax);
}

TEST_F(LimitsTest, P11MaxConnections) {
  begin({.max_connections = 2, .max_connections_per_uid = 100, .times = {}});
  auto first = connect();
  const auto second = connect();
  run_until([&] { return server->connections() == 2; });
  const auto third = connect();
  expect_refusal(*third, 503, "\"too_many_connections\"");
  EXPECT_THAT(observer.refused,
              testing::ElementsAre(std::pair(::geteuid(), ConnectionLimit::kTotal)));
  second->send(token_request(1));
  EXPECT_EQ(next_reply(*second).status, 200);
  first->hang_up();
  run_until([&] { return server->connections() == 1; });
  expect_served();
}

TEST_F(LimitsTest, P11MaxConnectionsPerUid) {
  begin({.max_connections = 100, .max_connections_per_uid = 2, .times = {}});
  auto first = connect();
  const auto second = connect();
  run_until([&] { return server->connections() == 2; });
  const auto third = connect();
  expect_refusal(*third, 503, "\"too_many_connections\"");
  EXPECT_THAT(observer.refused,
              testing::ElementsAre(std::pair(::geteuid(), ConnectionLimit::kPerUid)));
  second->send(token_request(1));
  EXPECT_EQ(next_reply(*second).status, 200);
  first->hang_up();
  run_until([&] { return server->connections() == 1; });
  expect_served();
}

TEST_F(LimitsTest, P11WaitsPerConnectionMax) {
  begin();
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
TEST_F(LimitsTest, P11RequestsReadAheadMax) {
  begin();
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

TEST_F(LimitsTest, P11OutputBytesMax) {
  begin();
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

TEST_F(LimitsTest, P11WriteStall) {
  begin();
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

TEST_F(LimitsTest, P11HeadTime) {
  begin();
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

// A body counts with its head: one that never comes does not hold the connection.
TEST_F(LimitsTest, P11HeadTimeCoversTheBody) {
  begin();
  const auto client = connect();
  client->send("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
  expect_silence(*client);
  clock.advance(seconds{5} - milliseconds{1});
  server->sweep();
  client->send("6789");
  expect_silence(*client);
  clock.advance(milliseconds{1});
  server->sweep();
  wait_for_end(*client);
}

TEST_F(LimitsTest, P11HeadTimeCoversABodyInChunks) {
  begin();
  const auto client = connect();
  client->send(chunked(""));
  expect_silence(*client);
  for (int i = 0; i < 4; ++i) {
    clock.advance(seconds{1});
    server->sweep();
    client->send("1\r\nx\r\n");
    expect_silence(*client);
  }
  clock.advance(seconds{1});
  server->sweep();
  wait_for_end(*client);
}

TEST_F(LimitsTest, P11HeadTimeBeginsWithTheFirstByte) {
  begin();
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

TEST_F(LimitsTest, P11IdleTime) {
  begin();
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

}  // namespace
}  // namespace rota
