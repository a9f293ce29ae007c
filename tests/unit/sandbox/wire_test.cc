#include "sandbox/wire.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rota::sandbox {
namespace {

constexpr WallTime kDate{Duration{784'111'777'999}};

TEST(HttpDate, IsCutToTheSecondAndReadBack) {
  EXPECT_EQ(format_http_date(kDate), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date(format_http_date(kDate)), WallTime{Duration{784'111'777'000}});
}

TEST(Compose, PlainReply) {
  EXPECT_EQ(compose(json_reply(200, "{}"), kDate, true),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(Compose, NoContentHasNoLength) {
  EXPECT_EQ(compose(no_content(), kDate, false),
            "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Connection: close\r\n\r\n");
}

TEST(Compose, ChunkedBodyIsWhole) {
  Reply reply = json_reply(200, std::string(50, 'x'));
  reply.delivery = Delivery::kChunked;
  const std::string bytes = compose(reply, kDate, true);
  EXPECT_EQ(bytes.substr(bytes.find("\r\n\r\n")), "\r\n\r\n28\r\n" + std::string(40, 'x') +
                                                      "\r\na\r\n" + std::string(10, 'x') +
                                                      "\r\n0\r\n\r\n");
  EXPECT_NE(bytes.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(bytes.find("Content-Length"), std::string::npos);
}

TEST(Compose, SilentRepliesHaveNoBytes) {
  Reply reply;
  reply.delivery = Delivery::kDrop;
  EXPECT_EQ(compose(reply, kDate, true), "");
  reply.delivery = Delivery::kHang;
  EXPECT_EQ(compose(reply, kDate, true), "");
}

TEST(Compose, NoContentTypeLeavesTheHeaderOut) {
  Reply reply = json_reply(200, "{}");
  reply.content_type.clear();
  EXPECT_EQ(compose(reply, kDate, true).find("Content-Type"), std::string::npos);
}

}  // namespace
}  // namespace rota::sandbox
