#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "auth/headless_auth_client.h"
#include "tests/unit/auth/transport_fixture.h"

namespace rota {
namespace {

// Under the address sanitizer these also prove that nothing is used after it is gone.

TEST(ClientLifetime, ATransportDestroyedInFlightEndsItsCalls) {
  std::promise<void> both_read;
  ScriptedServer server([&both_read](ScriptedServer& s) {
    auto first = s.accept();
    auto second = s.accept();
    EXPECT_TRUE(first.read_request().has_value());
    EXPECT_TRUE(second.read_request().has_value());
    both_read.set_value();
    first.wait_for_close();
    second.wait_for_close();
  });
  TransportLoop loop(options_for(server.url()));
  loop.start(refresh_request());
  loop.start(refresh_request());
  auto read = both_read.get_future();
  while (read.wait_for(std::chrono::seconds{0}) != std::future_status::ready) loop.poll();
  EXPECT_TRUE(loop.results().empty());
  loop.destroy_transport();
  EXPECT_TRUE(loop.results().empty()) << "a call ended inside the destructor";
  loop.run_until(2);
  for (const auto& result : loop.results()) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().reason, TransientReason::kNoReply);
  }
  loop.poll();
}

TEST(ClientLifetime, ATransportDestroyedBeforeItConnectedHasSentNothing) {
  ScriptedServer server([](ScriptedServer&) {});
  TransportLoop loop(options_for(server.url()));
  loop.start(refresh_request());
  loop.poll();
  loop.destroy_transport();
  loop.run_until(1);
  ASSERT_FALSE(loop.results()[0].has_value());
}

TEST(ClientLifetime, ACallStartedAfterTheTransportIsGoneIsNotSent) {
  TransportLoop loop(options_for("http://127.0.0.1:1"));
  loop.start(refresh_request());  // not begun before the loop runs
  loop.destroy_transport();
  loop.run_until(1);
  ASSERT_FALSE(loop.results()[0].has_value());
  EXPECT_EQ(loop.results()[0].error().reason, TransientReason::kNotSent);
}

TEST(ClientLifetime, ALoopDestroyedWithCallsInFlightDropsThem) {
  std::promise<void> read;
  ScriptedServer server([&read](ScriptedServer& s) {
    auto connection = s.accept();
    EXPECT_TRUE(connection.read_request().has_value());
    read.set_value();
    connection.wait_for_close();
  });
  TransportLoop loop(options_for(server.url()));
  loop.start(refresh_request());
  auto was_read = read.get_future();
  while (was_read.wait_for(std::chrono::seconds{0}) != std::future_status::ready) loop.poll();
}

TEST(ClientLifetime, AResultMayDestroyTheTransportThatBroughtIt) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    connection.read_request();
    connection.write(http_reply(204, ""));
    connection.wait_for_close();
  });
  boost::asio::io_context loop{1};
  auto client = HeadlessAuthClient::create(loop.get_executor(), options_for(server.url())).value();
  std::optional<AuthResult<Revocation>> revoked;
  boost::asio::co_spawn(loop, client->revoke_refresh_token(make_secret("r")),
                        [&client, &revoked](std::exception_ptr, AuthResult<Revocation> result) {
                          client.reset();
                          revoked = std::move(result);
                        });
  loop.run();
  EXPECT_EQ(revoked.value(), Revocation::kRevoked);
}

TEST(ClientLifetime, CallsOutliveTheirClient) {
  boost::asio::io_context loop{1};
  auto client =
      HeadlessAuthClient::create(loop.get_executor(), options_for("http://127.0.0.1:1")).value();
  std::optional<Reply> reply;
  boost::asio::co_spawn(loop, client->call({CallKind::kRefresh, {}, make_secret("r")}),
                        [&reply](std::exception_ptr, Reply r) { reply = std::move(r); });
  client.reset();
  loop.run();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(std::get<Transient>(reply->outcome).reason, TransientReason::kNotSent);
}

// Between the making of a call and its start the app token may change.
TEST(ClientLifetime, P10AnEchoOfTheAppTokenThatWasSentIsNotTold) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    const auto bearer = connection.read_request().value().headers.at("authorization");
    connection.write(http_reply(500, "{\"success\":false,\"message\":\"" + bearer + "\"}"));
  });
  boost::asio::io_context loop{1};
  auto client = HeadlessAuthClient::create(loop.get_executor(), options_for(server.url())).value();
  std::optional<Reply> reply;
  boost::asio::co_spawn(loop, client->call({CallKind::kRefresh, {}, make_secret("4711")}),
                        [&reply](std::exception_ptr, Reply r) { reply = std::move(r); });
  ASSERT_TRUE(client->set_app_token(make_secret("summer")).has_value());
  loop.run();
  ASSERT_TRUE(reply.has_value());
  const Transient& failure = std::get<Transient>(reply->outcome);
  EXPECT_THAT(failure.why, testing::HasSubstr("500"));
  EXPECT_THAT(failure.why, testing::Not(testing::HasSubstr("summer")));
}

TEST(ClientLifetime, TheGeneralCallBringsOutcomeAndDate) {
  ScriptedServer server([](ScriptedServer& s) {
    auto connection = s.accept();
    connection.read_request();
    connection.write(http_reply(204, "", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  });
  boost::asio::io_context loop{1};
  auto client = HeadlessAuthClient::create(loop.get_executor(), options_for(server.url())).value();
  std::optional<Reply> reply;
  boost::asio::co_spawn(loop, client->call({CallKind::kRevokeAccess, {}, make_secret("a")}),
                        [&reply](std::exception_ptr, Reply r) { reply = std::move(r); });
  loop.run();  // ends by itself: an idle client keeps no loop busy
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(std::holds_alternative<Revoked>(reply->outcome));
  EXPECT_EQ(reply->server_date, parse_iso8601("1994-11-06T08:49:37Z"));
}

}  // namespace
}  // namespace rota
