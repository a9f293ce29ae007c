// Requests with a body: by its length, in chunks, and after the leave that the client waits for.

#include <gmock/gmock.h>

#include <string>

#include "support/http_oddities.h"
#include "unit/serve/session_box.h"

namespace rota {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;

std::string expecting_request(std::string_view what) {
  return "POST /healthz HTTP/1.1\r\nHost: x\r\nExpect: " + std::string(what) +
         "\r\nContent-Length: 3\r\n\r\n";
}

TEST_F(SessionTest, GivesLeaveForABodyOnceAndInItsTurn) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto client = connect();
  client->send(token_request(9) + expecting_request("100-continue"));
  wait_for_waits(1);
  expect_silence(*client);  // it has its place behind the wait
  tokens.publish(9, "fresh", hours{1});
  tokens.finish_all(kServe);
  EXPECT_THAT(next_reply(*client).body, has_token("fresh"));
  wait_for_more(*client, [&](const std::string& text) { return text == kContinue; });
  client->drop(kContinue.size());
  client->send("a");
  expect_silence(*client);
  client->send("bc");
  EXPECT_EQ(next_reply(*client).status, 405);
  client->send(expecting_request("100-continue"));
  wait_for_more(*client, [&](const std::string& text) { return text == kContinue; });
  client->drop(kContinue.size());
  client->send("abc");
  EXPECT_EQ(next_reply(*client).status, 405) << "each request has a leave of its own";
}

TEST_F(SessionTest, ABodyThatIsThereNeedsNoLeave) {
  const auto client = connect();
  client->send(expecting_request("100-continue") + "abc");
  EXPECT_EQ(next_reply(*client).status, 405);
}

std::string login_request(std::string_view body, std::string_view more = "") {
  return "POST /api/v1/headless/auth_token HTTP/1.1\r\nHost: x\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST_F(SessionTest, ARouteGetsTheBodyOfItsOwnRequest) {
  const auto client = connect();
  client->send(login_request(R"({"community_member_id":1})") +
               login_request(R"({"community_member_id":2})") + login_request("") +
               token_request(1));
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
  EXPECT_EQ(next_reply(*client).status, 404) << "no body, and not that of the one before";
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
}

TEST_F(SessionTest, ABodyMayComeInAnyPieces) {
  const auto client = connect();
  const std::string request = login_request(R"({"community_member_id":2})");
  for (const char byte : request) {
    client->send({&byte, 1});
    settle();
  }
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
}

TEST_F(SessionTest, ABodyComesAfterItsLeave) {
  const auto client = connect();
  const std::string request =
      login_request(R"({"community_member_id":2})", "Expect: 100-continue\r\n");
  const auto head = request.find("\r\n\r\n") + 4;
  client->send(request.substr(0, head));
  wait_for_more(*client, [](const std::string& text) { return !text.empty(); });
  client->drop(client->received().size());
  client->send(request.substr(head));
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
}

std::string chunked_login(std::string_view chunks, std::string_view more = "") {
  return "POST /api/v1/headless/auth_token HTTP/1.1\r\nHost: x\r\n" + std::string(more) +
         "Transfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}
// {"community_member_id":2}
constexpr std::string_view kTwoInChunks =
    "8;x=y\r\n{\"commun\r\n11\r\nity_member_id\":2}\r\n0\r\nA: b\r\n\r\n";

TEST_F(SessionTest, TakesABodyInChunks) {
  const auto client = connect();
  client->send(chunked_login(kTwoInChunks) + token_request(1) + chunked_login("0\r\n\r\n") +
               chunked_login(kTwoInChunks, "Connection: close\r\n"));
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
  EXPECT_THAT(next_reply(*client).body, has_token("one")) << "the next request begins behind it";
  EXPECT_EQ(next_reply(*client).status, 404) << "no body, and not that of the one before";
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
  wait_for_end(*client);
}

TEST_F(SessionTest, ABodyInChunksMayComeInAnyPieces) {
  const auto client = connect();
  for (const char byte : chunked_login(kTwoInChunks) + token_request(1)) {
    client->send({&byte, 1});
    settle();
  }
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
  EXPECT_THAT(next_reply(*client).body, has_token("one"));
}

TEST_F(SessionTest, ABodyInChunksComesAfterItsLeave) {
  const auto client = connect();
  client->send(chunked_login("", "Expect: 100-continue\r\n"));
  wait_for_more(*client, [](const std::string& text) { return text.ends_with("\r\n\r\n"); });
  EXPECT_EQ(client->received(), "HTTP/1.1 100 Continue\r\n\r\n");
  client->drop(client->received().size());
  client->send(kTwoInChunks);
  EXPECT_THAT(next_reply(*client).body, has_token("two"));
  client->send(chunked_login(kTwoInChunks, "Expect: 100-continue\r\n"));
  EXPECT_THAT(next_reply(*client).body, has_token("two")) << "it is there, and needs no leave";
}

TEST_F(SessionTest, AHalfCloseInsideABodyInChunksIsNoRequest) {
  const auto client = connect();
  client->send(chunked_login(kTwoInChunks.substr(0, kTwoInChunks.size() - 2)));
  client->half_close();
  wait_for_end(*client);
  EXPECT_EQ(client->received(), "");
}

TEST_F(SessionTest, P11AMalformedBodyInChunksEndsTheConnection) {
  for (const std::string& chunks : testing::chunk_oddities()) {
    SCOPED_TRACE(chunks);
    const auto client = connect();
    client->send(chunked_login(chunks) + token_request(1));
    const ReceivedReply reply = next_reply(*client);
    EXPECT_EQ(reply.status, 400);
    EXPECT_THAT(reply.head, HasSubstr("\r\nConnection: close\r\n"));
    wait_for_end(*client);
    EXPECT_EQ(client->received(), "") << "what follows is no request";
  }
}

TEST_F(SessionTest, P11ABodyThatIsTooLargeIsRefusedByItsLength) {
  const auto client = connect();
  client->send("POST /api/v1/headless/auth_token HTTP/1.1\r\nHost: x\r\nContent-Length: " +
               std::to_string(kRequestBodyBytesMax + 1) + "\r\n\r\n");
  EXPECT_EQ(next_reply(*client).status, 431);
  wait_for_end(*client);
}

TEST_F(SessionTest, AnUnknownExpectationIsRefusedBeforeTheBody) {
  const auto client = connect();
  client->send(expecting_request("cake"));
  const ReceivedReply reply = next_reply(*client);
  EXPECT_EQ(reply.status, 417);
  EXPECT_THAT(reply.head, HasSubstr("\r\nConnection: close\r\n"));
  wait_for_end(*client);
}

}  // namespace
}  // namespace rota
