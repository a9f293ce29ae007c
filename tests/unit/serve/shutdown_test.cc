#include <gmock/gmock.h>

#include <string>

#include "serve/server.h"
#include "unit/serve/harness.h"

// A server's end: every request that has arrived is answered, and none is taken that is not.

namespace rota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr WaitAnswer kServe{.result = WaitResult::kServe, .retry_after = {}};
constexpr std::string_view kToken1 = "/v1/token?community_member_id=1";
constexpr std::string_view kRequest1 =
    "GET /v1/token?community_member_id=1 HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kClose = "\r\nConnection: close\r\n";

class ShutdownTest : public ServeTest {
 protected:
  void SetUp() override {
    tokens.publish(1, "one", hours{1});
    tokens.publish(9, "stale", seconds{0});
  }

  bool shut_down(const Server::ShutdownTimes& times) {
    server->shutdown(times, [this] { done = true; });
    return done;
  }
  // So long that neither ends by itself.
  static constexpr Server::ShutdownTimes kPatient{.farewell = hours{1}, .grace = hours{1}};
  static constexpr Server::ShutdownTimes kNoFarewell{.farewell = {}, .grace = hours{1}};

  bool done = false;
};

TEST_F(ShutdownTest, WithoutConnectionsIsDoneAtOnce) {
  start();
  EXPECT_FALSE(shut_down(kPatient)) << "not from inside the call";
  // Nothing of the server keeps the loop from ending.
  loop.run();
  EXPECT_TRUE(done);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ShutdownTest, AConnectionThatIsKeptHearsItWithItsNextReply) {
  start();
  const auto client = connect();
  client->get(kToken1);
  EXPECT_THAT(next_reply(*client).head, Not(HasSubstr(kClose)));
  EXPECT_FALSE(shut_down(kPatient));
  expect_silence(*client);
  client->get(kToken1);
  const ReceivedReply last = next_reply(*client);
  EXPECT_EQ(last.status, 200);
  EXPECT_THAT(last.head, HasSubstr(kClose));
  wait_for_end(*client);
  EXPECT_EQ(client->send(kRequest1), 0U) << "who asks later is told that nobody takes it";
  run_until([&] { return done; });
}

// A request in parts is whole only with its last one, whenever that comes.
TEST_F(ShutdownTest, TheRestOfARequestIsWaitedFor) {
  start();
  const auto client = connect();
  client->send(kRequest1.substr(0, 20));
  run_until([&] { return server->connections() == 1; });
  shut_down(kPatient);
  expect_silence(*client);
  client->send(kRequest1.substr(20));
  EXPECT_THAT(next_reply(*client).head, HasSubstr(kClose));
  run_until([&] { return done; });
}

// More than one buffer takes: all are answered, and the last alone says that it is.
TEST_F(ShutdownTest, AllThatArrivedIsAnswered) {
  for (const bool farewell : {true, false}) {
    done = false;
    start();
    const auto client = connect();
    run_until([&] { return server->connections() == 1; });
    std::string sent;
    constexpr int kRequests = 1'000;
    for (int i = 0; i < kRequests; ++i) sent += kRequest1;
    ASSERT_GT(sent.size(), 2 * kInputBytesMax);
    ASSERT_EQ(client->send(sent), sent.size());
    shut_down(farewell ? kPatient : kNoFarewell);
    for (int i = 0; i < kRequests; ++i) {
      const ReceivedReply reply = next_reply(*client);
      ASSERT_EQ(reply.status, 200) << i;
      ASSERT_EQ(reply.head.contains(kClose), i == kRequests - 1) << i;
    }
    wait_for_end(*client);
    EXPECT_EQ(client->received(), "");
    run_until([&] { return done; });
  }
}

// Those behind a wait, which the session has not taken yet, too.
TEST_F(ShutdownTest, WhatWaitsIsAnsweredAndWhatCameBehindIt) {
  start();
  const auto client = connect();
  constexpr std::size_t kRequests = kWaitsPerConnectionMax + 2;
  for (std::size_t i = 0; i < kRequests; ++i) client->get("/v1/token?community_member_id=9");
  wait_for_waits(kWaitsPerConnectionMax);
  shut_down(kPatient);
  EXPECT_EQ(client->send(kRequest1), 0U) << "it is known what its last request is";
  expect_silence(*client);
  tokens.publish(9, "fresh", hours{1});
  tokens.finish_all(kServe);
  for (std::size_t i = 0; i < kRequests; ++i) {
    const ReceivedReply reply = next_reply(*client);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.head.contains(kClose), i == kRequests - 1) << i;
  }
  run_until([&] { return done; });
}

TEST_F(ShutdownTest, ClosesWhatIsIdleAfterTheFarewell) {
  start();
  const auto idle = connect();
  const auto partial = connect();
  partial->send("GET /hea");
  const auto waiting = connect();
  waiting->get("/v1/token?community_member_id=9");
  waiting->get(kToken1);
  run_until([&] { return tokens.waiting() == 1 && server->connections() == 3; });
  settle();
  EXPECT_FALSE(shut_down(kNoFarewell));
  wait_for_end(*idle);
  wait_for_end(*partial);
  EXPECT_EQ(idle->received() + partial->received(), "");
  expect_silence(*waiting);
  EXPECT_FALSE(done);
  EXPECT_EQ(connect_to(path(), 0), -1) << "new clients find nobody";

  tokens.publish(9, "fresh", hours{1});
  tokens.finish(1, kServe);
  const ReceivedReply first = next_reply(*waiting);
  EXPECT_EQ(first.status, 200);
  EXPECT_THAT(first.head, Not(HasSubstr(kClose)));
  const ReceivedReply second = next_reply(*waiting);
  EXPECT_EQ(second.status, 200);
  EXPECT_THAT(second.head, HasSubstr(kClose));
  wait_for_end(*waiting);
  run_until([&] { return done; });
}

TEST_F(ShutdownTest, EndsTheRestAfterItsGrace) {
  start();
  const auto waiting = connect();
  waiting->get("/v1/token?community_member_id=9");
  run_until([&] { return tokens.waiting() == 1; });
  EXPECT_FALSE(shut_down({.farewell = {}, .grace = milliseconds{1}}));
  run_until([&] { return done; });
  EXPECT_EQ(tokens.cancelled, 1U);
  wait_for_end(*waiting);
  EXPECT_EQ(waiting->received(), "");
}

TEST_F(ShutdownTest, AQueueOfItsOwnIsAnswered) {
  start();
  const auto client = connect();
  client->get(kToken1);
  EXPECT_EQ(server->connections(), 0U) << "it stands in the queue";
  shut_down(kNoFarewell);
  EXPECT_EQ(connect_to(path(), 0), -1);
  EXPECT_THAT(next_reply(*client).head, HasSubstr(kClose));
  run_until([&] { return done; });
}

TEST_F(ShutdownTest, AnInheritedQueueIsLeftToTheNextProcess) {
  auto bound = ListenSocket::bind(path(), 0600, std::nullopt);
  ASSERT_TRUE(bound);
  const auto inherit = [&] {
    auto listen = ListenSocket::adopt(::dup((*bound)->fd()));
    ASSERT_TRUE(listen);
    start_on(*std::move(listen));
  };
  inherit();
  const auto queued = connect();
  queued->get(kToken1);
  shut_down(kNoFarewell);
  run_until([&] { return done; });
  const auto later = connect();
  later->get(kToken1);
  expect_silence(*queued);
  inherit();
  EXPECT_EQ(next_reply(*queued).status, 200);
  EXPECT_EQ(next_reply(*later).status, 200);
}

}  // namespace
}  // namespace rota
