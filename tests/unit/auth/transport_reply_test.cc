#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "circle/reply_collector.h"
#include "tests/unit/auth/transport_fixture.h"

namespace rota {
namespace {

HttpResult result_of(std::string bytes) {
  ScriptedServer server([&bytes](ScriptedServer& s) {
    auto connection = s.accept();
    connection.read_request();
    connection.write(bytes);
  });
  return send_once(options_for(server.url()));
}

// Twenty times 'a', as gzip -9n packs it.
constexpr std::string_view kGzippedAs(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x4c\xc4\x04\x00\xce\x8b\x6f\x26\x14\x00\x00\x00",
    23);

// A gzip stream that unpacks to `copies` times 258 bytes and one, 13 bits each: one block of fixed
// Huffman codes (RFC 1951, 3.2.6), 'a' and then copies of what went before. It has no proper end.
std::string gzip_bomb(std::size_t copies) {
  std::string bytes("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03", 10);
  unsigned used = 8;
  const auto put = [&bytes, &used](unsigned code, int bits) {
    for (int i = bits - 1; i >= 0; --i) {
      if (used == 8) {
        bytes.push_back('\0');
        used = 0;
      }
      bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) |
                                       (((code >> i) & 1u) << used++));
    }
  };
  put(0b110, 3);  // the last block, fixed codes
  put(0x30 + 'a', 8);
  for (std::size_t i = 0; i < copies; ++i) put(0b11000101'00000, 13);  // length 258, distance 1
  put(0, 7);
  return bytes;
}

TEST(TransportReply, StatusHeadersAndBodyArrive) {
  const auto result = result_of(
      http_reply(429, "slow down", "Content-Type: text/plain\r\nRetry-After: 7\r\nDate: now\r\n"));
  ASSERT_TRUE(result.has_value()) << result.error().why;
  EXPECT_EQ(result->status, 429);
  EXPECT_EQ(result->content_type, "text/plain");
  EXPECT_EQ(result->retry_after, "7");
  EXPECT_EQ(result->date, "now");
  EXPECT_EQ(result->body.reveal(), "slow down");
}

TEST(TransportReply, AChunkedBodyIsPutTogether) {
  const auto result = result_of(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b\r\n\r\n"
      "5\r\nhello\r\n7\r\n, world\r\n0\r\nRetry-After: 9\r\n\r\n");
  ASSERT_TRUE(result.has_value()) << result.error().why;
  EXPECT_EQ(result->body.reveal(), "hello, world");
  EXPECT_EQ(result->retry_after, std::nullopt);
}

TEST(TransportReply, AGzippedBodyIsUnpacked) {
  const auto result = result_of(http_reply(200, kGzippedAs, "Content-Encoding: gzip\r\n"));
  ASSERT_TRUE(result.has_value()) << result.error().why;
  EXPECT_EQ(result->body.reveal(), std::string(20, 'a'));
}

TEST(TransportReply, AnInterimReplyIsPassedOver) {
  const auto result =
      result_of("HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n" + http_reply(200, "x"));
  ASSERT_TRUE(result.has_value()) << result.error().why;
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->retry_after, std::nullopt);
}

TEST(TransportReply, ABodyAtTheLimitArrivesAndOneByteMoreDoesNot) {
  const auto whole = result_of(http_reply(200, std::string(kReplyBodyBytesMax, 'x')));
  ASSERT_TRUE(whole.has_value()) << whole.error().why;
  EXPECT_EQ(whole->body.size(), kReplyBodyBytesMax);
  const auto larger = result_of(http_reply(200, std::string(kReplyBodyBytesMax + 1, 'x')));
  ASSERT_FALSE(larger.has_value());
  EXPECT_EQ(larger.error().reason, TransientReason::kNoReply);
  EXPECT_THAT(larger.error().why, testing::HasSubstr("too large"));
}

TEST(TransportReply, TheLimitHoldsAfterUnpacking) {
  const std::string bomb = gzip_bomb(2 * kReplyBodyBytesMax / 258);
  ASSERT_LT(bomb.size(), kReplyBodyBytesMax / 50);
  const auto result = result_of(http_reply(200, bomb, "Content-Encoding: gzip\r\n"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, TransientReason::kNoReply);
  EXPECT_THAT(result.error().why, testing::HasSubstr("too large"));
}

TEST(TransportReply, AnEndlessHeadIsGivenUp) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (std::size_t i = 0; i <= kReplyHeaderLinesMax; ++i) head += "X-Filler: x\r\n";
  const auto result = result_of(head + "\r\n");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, TransientReason::kNoReply);
  EXPECT_THAT(result.error().why, testing::HasSubstr("too large"));
}

TEST(TransportReply, ARedirectIsNotFollowed) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    connection.read_request();
    connection.write(http_reply(302, "", "Location: " + s.url() + "/elsewhere\r\n"));
    EXPECT_FALSE(connection.read_request().has_value());
  });
  {
    const auto result = send_once(options_for(server.url()));
    ASSERT_TRUE(result.has_value()) << result.error().why;
    EXPECT_EQ(result->status, 302);
  }
  server.finish();
  EXPECT_EQ(server.unaccepted_bytes(), "");
}

TEST(TransportReply, APathOfTheBaseUrlComesFirst) {
  std::string target;
  ScriptedServer server([&target](ScriptedServer& s) {
    auto connection = s.accept();
    target = connection.read_request().value().target;
    connection.write(http_reply(204, ""));
  });
  EXPECT_TRUE(send_once(options_for(server.url() + "/circle/")).has_value());
  server.finish();
  EXPECT_EQ(target, "/circle/api/v1/headless/access_token/refresh");
}

TEST(TransportReply, CookiesAreNotKept) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    connection.read_request();
    connection.write(http_reply(200, "", "Set-Cookie: session=1; Path=/\r\n"));
    const auto second = connection.read_request();
    ASSERT_TRUE(second.has_value());
    EXPECT_FALSE(second->headers.contains("cookie"));
    connection.write(http_reply(200, ""));
  });
  TransportLoop loop(options_for(server.url()));
  EXPECT_TRUE(loop.send(refresh_request()).has_value());
  EXPECT_TRUE(loop.send(refresh_request()).has_value());
}

}  // namespace
}  // namespace rota
