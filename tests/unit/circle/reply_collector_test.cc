#include "circle/reply_collector.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

TEST(ReplyCollector, TakesTheFieldsThatAreNeeded) {
  ReplyCollector collector;
  for (const auto* line :
       {"HTTP/1.1 429 Too Many Requests\r\n", "CONTENT-TYPE:  application/json \r\n",
        "Retry-After: 5\r\n", "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "Set-Cookie: a=b\r\n",
        "no colon\r\n", "\r\n"}) {
    EXPECT_FALSE(collector.head_is_whole());
    ASSERT_TRUE(collector.add_header_line(line));
  }
  EXPECT_TRUE(collector.head_is_whole());
  ASSERT_TRUE(collector.add_body(std::string_view("{\"a\"")));
  ASSERT_TRUE(collector.add_body(std::string_view(":1}")));
  const HttpReply reply = collector.take(429);
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(reply.retry_after, "5");
  EXPECT_EQ(reply.date, "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(reply.body.reveal(), "{\"a\":1}");
}

TEST(ReplyCollector, ForgetsInterimRepliesAndIgnoresTrailers) {
  ReplyCollector collector;
  for (const auto* line : {"HTTP/1.1 103 Early Hints\r\n", "Retry-After: 9\r\n", "\r\n",
                           "HTTP/1.1 200 OK\r\n", "Content-Type: a/b\r\n", "\r\n"}) {
    ASSERT_TRUE(collector.add_header_line(line));
  }
  ASSERT_TRUE(collector.add_body(std::string_view("x")));
  ASSERT_TRUE(collector.add_header_line("Content-Type: trailer/x\r\n"));
  const HttpReply reply = collector.take(200);
  EXPECT_EQ(reply.content_type, "a/b");
  EXPECT_EQ(reply.retry_after, std::nullopt);
}

TEST(ReplyCollector, BodyStopsAtItsLimit) {
  ReplyCollector collector;
  const std::string half(kReplyBodyBytesMax / 2, 'x');
  ASSERT_TRUE(collector.add_body(half));
  ASSERT_TRUE(collector.add_body(half));
  EXPECT_TRUE(collector.broken_limit().empty());
  EXPECT_FALSE(collector.add_body(std::string_view("y")));
  EXPECT_FALSE(collector.broken_limit().empty());
}

TEST(ReplyCollector, HeadStopsAtItsLimits) {
  ReplyCollector lines;
  for (std::size_t i = 0; i < kReplyHeaderLinesMax; ++i) {
    ASSERT_TRUE(lines.add_header_line("a: b"));
  }
  EXPECT_FALSE(lines.add_header_line("a: b"));
  ReplyCollector bytes;
  ASSERT_TRUE(bytes.add_header_line(std::string(kReplyHeadBytesMax, 'a')));
  EXPECT_FALSE(bytes.add_header_line("b"));
  EXPECT_FALSE(bytes.broken_limit().empty());
}

}  // namespace
}  // namespace rota
