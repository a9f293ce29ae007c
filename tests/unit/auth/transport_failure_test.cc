#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>

#include "tests/unit/auth/transport_fixture.h"

namespace rota {
namespace {

using testing::HasSubstr;

// What a call came to whose server does `act` with the connection once the request is read.
HttpResult after_request(const std::function<void(WireConnection&)>& act,
                         Duration request_timeout = std::chrono::seconds{20}) {
  int requests = 0;
  ScriptedServer server([&act, &requests](ScriptedServer& s) {
    auto connection = s.accept();
    if (connection.read_request()) ++requests;
    act(connection);
  });
  HeadlessAuthOptions options = options_for(server.url());
  options.request_timeout = request_timeout;
  TransportLoop loop(options);
  HttpResult result = loop.send(refresh_request());
  loop.destroy_transport();
  server.finish();
  EXPECT_EQ(requests, 1);
  EXPECT_EQ(server.unaccepted_bytes(), "");
  return result;
}

void expect_failure(const HttpResult& result, TransientReason reason) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, reason) << result.error().why;
  EXPECT_THAT(result.error().why, HasSubstr("PATCH /api/v1/headless/access_token/refresh: "));
}

TEST(TransportFailure, ARefusedConnectionIsNotSent) {
  const auto result = send_once(options_for(fmt::format("http://127.0.0.1:{}", closed_port())));
  expect_failure(result, TransientReason::kNotSent);
  EXPECT_THAT(result.error().why, HasSubstr("127.0.0.1"));
}

TEST(TransportFailure, ClosedBeforeTheReplyIsNoReply) {
  expect_failure(after_request([](WireConnection& c) { c.close(); }), TransientReason::kNoReply);
}

TEST(TransportFailure, ResetBeforeTheReplyIsNoReply) {
  expect_failure(after_request([](WireConnection& c) { c.reset(); }), TransientReason::kNoReply);
}

TEST(TransportFailure, AReplyCutOffIsNoReply) {
  for (const char* part : {"HTTP/1.1 200 OK\r\nContent-Le",
                           "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"abc",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    const auto result = after_request([part](WireConnection& c) {
      c.write(part);
      c.close();
    });
    expect_failure(result, TransientReason::kNoReply);
  }
}

TEST(TransportFailure, GarbageInsteadOfHttpIsNoReply) {
  const auto result = after_request([](WireConnection& c) { c.write("SSH-2.0-OpenSSH_9.2\r\n"); });
  expect_failure(result, TransientReason::kNoReply);
}

TEST(TransportFailure, ASilentServerIsNoReplyAfterTheTimeout) {
  const auto result = after_request([](WireConnection& c) { c.wait_for_close(); }, Duration{100});
  expect_failure(result, TransientReason::kNoReply);
  EXPECT_THAT(result.error().why, HasSubstr("Timeout"));
}

TEST(TransportFailure, ACallThatNeverGotAConnectionIsNotSent) {
  std::promise<void> first_read;
  ScriptedServer server([&first_read](ScriptedServer& s) {
    auto connection = s.accept();
    EXPECT_TRUE(connection.read_request().has_value());
    first_read.set_value();
    connection.wait_for_close();
  });
  HeadlessAuthOptions options = options_for(server.url());
  options.connections_max = 1;
  TransportLoop loop(options);
  loop.start(refresh_request());
  loop.start(refresh_request());
  auto read = first_read.get_future();
  while (read.wait_for(std::chrono::seconds{0}) != std::future_status::ready) loop.poll();
  loop.destroy_transport();
  loop.run_until(2);
  const auto reason = [&loop](std::size_t i) { return loop.results()[i].error().reason; };
  EXPECT_THAT((std::vector{reason(0), reason(1)}),
              testing::UnorderedElementsAre(TransientReason::kNoReply, TransientReason::kNotSent));
}

TEST(TransportFailure, AHandshakeThatFailsIsNotSent) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    connection.write("HTTP/1.1 400 this is no TLS\r\n\r\n");
    connection.wait_for_close();
  });
  const auto result = send_once(options_for(fmt::format("https://127.0.0.1:{}", server.port())));
  expect_failure(result, TransientReason::kNotSent);
}

TEST(TransportFailure, ProxiesOfTheEnvironmentAreIgnored) {
  const auto dead = fmt::format("http://127.0.0.1:{}", closed_port());
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"}) {
    ASSERT_EQ(setenv(name, dead.c_str(), 1), 0);
  }
  const auto result = after_request([](WireConnection& c) { c.write(http_reply(200, "direct")); });
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"}) {
    ASSERT_EQ(unsetenv(name), 0);
  }
  ASSERT_TRUE(result.has_value()) << result.error().why;
  EXPECT_EQ(result->body.reveal(), "direct");
}

// P10: what went wrong is told without what was sent.
TEST(TransportFailure, P10NoTextRepeatsAToken) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    const auto request = connection.read_request();
    connection.write(request->raw_head + request->body);  // an echo is no HTTP reply
  });
  TransportLoop loop(options_for(server.url()));
  const auto result = loop.send(refresh_request(R"({"refresh_token":"sesame"})"));
  expect_failure(result, TransientReason::kNoReply);
  EXPECT_EQ(result.error().why.find("sesame"), std::string::npos) << result.error().why;
  EXPECT_EQ(result.error().why.find("app-token-1"), std::string::npos) << result.error().why;
}

}  // namespace
}  // namespace rota
