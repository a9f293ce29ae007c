#include "serve/session.h"

#include <gmock/gmock.h>

#include <array>
#include <string>

#include "unit/serve/session_box.h"

namespace rota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(SessionTest, AnswersRequestAfterRequestOnOneConnection) {
  const auto client = connect();
  for (int i = 0; i < 3; ++i) {
    client->send(token_request(1));
    const ReceivedReply reply = next_reply(*client);
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.body, has_token("one"));
    EXPECT_THAT(reply.head, HasSubstr("\r\nCache-Control: no-store\r\nDate: "));
    EXPECT_THAT(reply.head, Not(HasSubstr("Connection:")));
  }
  client->get("/healthz");
  EXPECT_EQ(next_reply(*client).body, R"({"status":"ok"})");
  client->get("/nowhere");
  EXPECT_EQ(next_reply(*client).status, 404);
  expect_silence(*client);
}

TEST_F(SessionTest, NotesWhoWasGivenWhoseToken) {
  const auto client = connect();
  client->send(token_request(9) + token_request(1) + token_request(77));
  expect_silence(*client);  // all stand behind the wait
  EXPECT_EQ(tokens.fetched.size(), 0U);
  tokens.publish(9, "fresh", hours{1});
  tokens.finish_all(kServe);
  for (int i = 0; i < 3; ++i) next_reply(*client);  // the last one leads to nobody
  client->send(token_request(2));
  next_reply(*client);
  ASSERT_EQ(tokens.fetched.size(), 3U);
  constexpr std::array kGiven{MemberId{9}, MemberId{1}, MemberId{2}};
  for (std::size_t i = 0; i < kGiven.size(); ++i) {
    EXPECT_EQ(tokens.fetched[i].first, kGiven.at(i));
    EXPECT_EQ(tokens.fetched[i].second,
              (AuditCaller{.uid = ::getuid(), .gid = ::getgid(), .pid = ::getpid()}));
  }
}

TEST_F(SessionTest, TakesARequestInAnyPieces) {
  const auto client = connect();
  const std::string request = "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
  for (const char byte : request) {
    expect_silence(*client);
    client->send({&byte, 1});
  }
  EXPECT_EQ(next_reply(*client).status, 405);
  client->get("/healthz");
  EXPECT_EQ(next_reply(*client).status, 200);
}

std::string head_request(std::string_view target) {
  return "HEAD " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

// A client takes what follows the head of such a reply for the next reply.
TEST_F(SessionTest, AnswersAHeadWithoutABodyAndKeepsTheFraming) {
  const auto client = connect();
  const std::string_view targets[] = {"/v1/token?community_member_id=1", "/healthz", "/nowhere",
                                      "/v1/token?community_member_id=x", "/v1/token"};
  for (const std::string_view target : targets) {
    client->get(target);
    const ReceivedReply whole = next_reply(*client);
    ASSERT_FALSE(whole.body.empty());
    client->send(head_request(target) + token_request(1));
    // The head of a HEAD's reply stands directly before the next reply.
    wait_for_more(*client, [](const std::string& text) { return text.ends_with('}'); });
    ASSERT_TRUE(client->received().starts_with(whole.head + "\r\nHTTP/1.1 200 OK\r\n")) << target;
    client->drop(whole.head.size() + 2);
    EXPECT_THAT(next_reply(*client).body, has_token("one"));
  }
}

TEST_F(SessionTest, AHeadWaitsAsAGetDoesAndNobodyWasGivenAToken) {
  const auto client = connect();
  client->send(head_request("/v1/token?community_member_id=9") + token_request(1));
  wait_for_waits(1);
  expect_silence(*client);
  tokens.publish(9, "fresh", hours{1});
  tokens.finish_all(kServe);
  wait_for_more(*client, [](const std::string& text) { return text.ends_with('}'); });
  EXPECT_THAT(client->received(), Not(HasSubstr("fresh")));
  ASSERT_EQ(tokens.fetched.size(), 1U);
  EXPECT_EQ(tokens.fetched[0].first, MemberId{1});
}

// The last request of its connection too, after which there is nothing whose framing could break.
TEST_F(SessionTest, ByAHeadThatClosesNobodyWasGivenATokenEither) {
  const auto client = connect();
  client->send(
      "HEAD /v1/token?community_member_id=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  wait_for_end(*client);
  EXPECT_THAT(client->received(), HasSubstr("HTTP/1.1 200 "));
  EXPECT_TRUE(client->received().ends_with("\r\n\r\n"));
  EXPECT_THAT(tokens.fetched, ::testing::IsEmpty());
}

TEST_F(SessionTest, AHeadThatIsMalformedGetsNoBodyEither) {
  const auto client = connect();
  client->send("HEAD /healthz HTTP/1.1\r\n\r\n");
  wait_for_end(*client);
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(client->received().ends_with("\r\n\r\n"));
}

TEST_F(SessionTest, EmptyLinesBetweenRequestsAreNoRequest) {
  const auto client = connect();
  client->send("\r\n" + token_request(1) + "\r\n\r\n" + token_request(2) + "\r\n");
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
  expect_silence(*client);
  clock.advance(SessionTimes{}.head * 2);  // a request that began would be over
  server->sweep();
  client->send(token_request(1));
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
}

TEST_F(SessionTest, ClosesWhenTheClientAsksForIt) {
  for (const std::string_view request :
       {"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.0\r\n\r\n"}) {
    const auto client = connect();
    client->send(std::string(request) + token_request(1));
    const ReceivedReply reply = next_reply(*client);
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.head, HasSubstr("\r\nConnection: close\r\n"));
    wait_for_end(*client);
    EXPECT_EQ(client->received(), "");
  }
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(SessionTest, AnswersManyPipelinedRequestsInOrder) {
  const auto client = connect();
  std::string requests;
  for (int i = 0; i < 1'000; ++i) requests += token_request(1 + i % 2);
  std::size_t sent = 0;
  for (int i = 0; i < 1'000; ++i) {
    if (sent < requests.size()) sent += client->send(std::string_view(requests).substr(sent));
    ASSERT_THAT(next_reply(*client).body, has_token(i % 2 == 0 ? "one" : "two")) << i;
  }
  expect_silence(*client);
}

TEST_F(SessionTest, KeepsTheOrderAroundWaits) {
  const auto client = connect();
  client->send(token_request(1) + token_request(9) + token_request(2) +
               "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" + token_request(9) + token_request(1));
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
  wait_for_waits(2);
  expect_silence(*client);
  tokens.publish(9, "fresh", hours{1});
  tokens.finish(2, kServe);
  expect_silence(*client);
  tokens.finish(1, kServe);
  EXPECT_THAT(next_reply(*client).body, has_token("fresh"));
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
  EXPECT_EQ(next_reply(*client).status, 404);
  EXPECT_THAT(next_reply(*client).body, has_token("fresh"));
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
}

// Only Circle knows which of the two somebody who becomes a member just now means.
TEST_F(SessionTest, EnrolsANameWithASpaceIfCircleHasNobodyOfTheOneWithAPlus) {
  const auto client = connect();
  client->get("/v1/token?sso_user_id=new+user&enrol=true&wait=9");
  wait_for_waits(1);
  EXPECT_EQ(tokens.requests.back().enrol->key.value, "new+user");
  clock.advance(seconds{2});
  tokens.finish(1, {.result = WaitResult::kUnknown});
  ASSERT_EQ(tokens.requests.size(), 2U);
  EXPECT_EQ(tokens.requests.back().enrol->key.value, "new user");
  EXPECT_EQ(tokens.requests.back().wait, seconds{7}) << "both together as long as was asked for";
  expect_silence(*client);
  Published row = *tokens.table().find(MemberId{1});
  row.member = MemberId{7};
  row.keys = {MemberKey::from_sso("new user").value()};
  tokens.publish(std::move(row));
  tokens.finish(2, kServe);
  EXPECT_EQ(next_reply(*client).status, 200);

  client->get("/v1/token?sso_user_id=no+body&enrol=true");
  wait_for_waits(1);
  tokens.finish(3, {.result = WaitResult::kUnknown});
  tokens.finish(4, {.result = WaitResult::kUnknown});
  EXPECT_EQ(next_reply(*client).status, 404);
}

TEST_F(SessionTest, WhatStoodBehindAWaitIsJudgedWhenItsTurnComes) {
  tokens.publish(2, "short", seconds{90});
  const auto client = connect();
  client->send(token_request(9) + token_request(2) + token_request(1));
  wait_for_waits(1);
  clock.advance(seconds{89});
  tokens.set_state(1, MemberState::kRetiring);
  tokens.finish(1, {.result = WaitResult::kUnavailable, .retry_after = seconds{7}});
  const ReceivedReply first = next_reply(*client);
  EXPECT_EQ(first.status, 503);
  EXPECT_THAT(first.head, HasSubstr("\r\nRetry-After: 7\r\n"));
  EXPECT_THAT(next_reply(*client).body, HasSubstr("token_unavailable"));
  EXPECT_THAT(next_reply(*client).body, HasSubstr("member_retired"));
}

TEST_F(SessionTest, ServesEveryClientThatWaits) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(connect());
    clients.back()->send(token_request(9));
  }
  wait_for_waits(40);
  tokens.publish(9, "fresh", hours{1});
  tokens.finish_all(kServe);
  for (const auto& client : clients) EXPECT_THAT(next_reply(*client).body, has_token("fresh"));
}

TEST_F(SessionTest, CancelsTheWaitsOfAClientThatHangsUp) {
  auto client = connect();
  client->send(token_request(9) + token_request(9));
  wait_for_waits(2);
  client->hang_up();
  run_until([&] { return server->connections() == 0; });
  EXPECT_EQ(tokens.cancelled, 2U);
  EXPECT_EQ(tokens.waiting(), 0U);
}

TEST_F(SessionTest, NoticesAHangUpAlthoughItReadsNoMore) {
  auto client = connect();
  for (std::size_t i = 0; i < kWaitsPerConnectionMax + 1; ++i) client->send(token_request(9));
  wait_for_waits(kWaitsPerConnectionMax);
  settle();
  client->hang_up();
  run_until([&] { return server->connections() == 0; });
  EXPECT_EQ(tokens.cancelled, kWaitsPerConnectionMax);
}

TEST_F(SessionTest, NoticesAHangUpAfterAHalfClose) {
  auto client = connect();
  client->send(token_request(9));
  client->half_close();
  wait_for_waits(1);
  expect_silence(*client);
  client->hang_up();
  run_until([&] { return server->connections() == 0; });
  EXPECT_EQ(tokens.cancelled, 1U);
}

TEST_F(SessionTest, AnswersWhatWasAskedBeforeAHalfClose) {
  const auto client = connect();
  client->send(token_request(1) + token_request(9) + token_request(2) + "GET /unfinis");
  client->half_close();
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
  wait_for_waits(1);
  expect_silence(*client);
  tokens.publish(9, "fresh", hours{1});
  tokens.finish(1, kServe);
  EXPECT_THAT(next_reply(*client).body, has_token("fresh"));
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
  wait_for_end(*client);
  EXPECT_EQ(client->received(), "");
}

// One read has the request, and epoll does not report the end once more.
TEST_F(SessionTest, SeesAnEndThatCameTogetherWithItsLastRequest) {
  const auto client = connect();
  settle();
  client->send(token_request(1));
  client->half_close();
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
  wait_for_end(*client);
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(SessionTest, ClosesAtOnceWhenTheClientEndsWithoutARequest) {
  const auto client = connect();
  settle();
  EXPECT_EQ(server->connections(), 1U);
  client->half_close();
  wait_for_end(*client);
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(SessionTest, RefusesGarbageAndCloses) {
  const auto client = connect();
  client->send(token_request(1) + "\x16\x03\x01 not HTTP" + token_request(2));
  EXPECT_EQ(next_reply(*client).status, 200);
  const ReceivedReply reply = next_reply(*client);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.head, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(reply.body, HasSubstr("\"bad_request\""));
  wait_for_end(*client);
  EXPECT_EQ(client->received(), "");
}

TEST_F(SessionTest, ABadRequestGoesOnWithTheConnection) {
  const auto client = connect();
  client->get("/v1/token?wait=1");
  EXPECT_EQ(next_reply(*client).status, 400);
  client->send(token_request(1));
  EXPECT_EQ(next_reply(*client).status, 200);
}

TEST_F(SessionTest, AWaitIsNotIdle) {
  const auto client = connect();
  client->send(token_request(9));
  wait_for_waits(1);
  clock.advance(hours{1});
  server->sweep();
  expect_silence(*client);
  tokens.publish(9, "fresh", hours{1});
  tokens.finish(1, kServe);
  EXPECT_THAT(next_reply(*client).body, has_token("fresh"));
  clock.advance(minutes{5} - milliseconds{1});
  server->sweep();
  expect_silence(*client);
}

// settle() does not come back when something wakes the loop again and again.
TEST_F(SessionTest, OutOfBandDataDoesNotKeepTheLoopAwake) {
  const auto client = connect();
  const auto send_urgent = [&client] {
    // A kernel that does not have it has nothing to defend against.
    const bool sent = ::send(client->fd(), "!", 1, MSG_OOB | MSG_NOSIGNAL) == 1;
    EXPECT_TRUE(sent || errno == EOPNOTSUPP);
  };
  send_urgent();
  settle();
  for (std::size_t i = 0; i < kWaitsPerConnectionMax; ++i) client->send(token_request(9));
  wait_for_waits(kWaitsPerConnectionMax);
  send_urgent();
  expect_silence(*client);
  tokens.finish_all(kServe);
  for (std::size_t i = 0; i < kWaitsPerConnectionMax; ++i)
    EXPECT_EQ(next_reply(*client).status, 503);
  settle();
}

// A hang-up may come in one turn with the last bytes: an order among them is still carried out.
TEST_F(SessionTest, TakesTheOrderOfAClientThatHasGone) {
  const auto admin_frontend = Frontend::admin_socket(tokens, policy, health, admin);
  auto listen = ListenSocket::bind(dir / "admin.sock", 0600, std::nullopt);
  ASSERT_TRUE(listen);
  auto made = Server::create(loop, *std::move(listen), admin_frontend, clock, observer, {});
  ASSERT_TRUE(made);
  (*made)->start();
  Client client(dir / "admin.sock");
  client.send("POST /v1/revoke-all HTTP/1.1\r\nHost: x\r\n\r\n");
  client.hang_up();
  run_until([&] { return admin.report_done != nullptr && (*made)->connections() == 0; });
}

}  // namespace
}  // namespace rota
