#include <gmock/gmock.h>

#include <chrono>
#include <string>

#include "unit/serve/harness.h"

// A listener: who a client is, its bearer token alone says.

namespace rota {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;

class ListenerTest : public ServeTest {
 protected:
  void SetUp() override {
    tokens.publish(1, "one", std::chrono::hours{1});
    policy = AccessPolicy(::geteuid(), {{.holder = Grant::Holder::kClient,
                                         .name = "web",
                                         .all_members = true,
                                         .tags = {},
                                         .members = {}}});
    listen();
  }
  // The Unix socket of the harness: whoever connects is root or the daemon's user.
  void listen(ServerOptions options = {}) {
    auto socket = ListenSocket::bind(path(), 0666, std::nullopt);
    ASSERT_TRUE(socket) << socket.error().message;
    auto made = Server::create(loop, *std::move(socket), listener, clock, observer, options);
    ASSERT_TRUE(made) << made.error().message;
    server = *std::move(made);
    server->start();
  }
  void listen_again(ServerOptions options) {
    server.reset();
    listen(options);
  }
  static void ask(const Client& client, std::string_view target, std::string_view fields) {
    client.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" +
                std::string(fields) + "\r\n");
  }
  static std::string bearer(std::string_view token) {
    return "Authorization: Bearer " + std::string(token) + "\r\n";
  }

  BearerClients clients{{{.name = "web", .tokens = {digest_of("web-1"), digest_of("web-2")}},
                         {.name = "shop", .tokens = {digest_of("shop-1")}}}};
  const Frontend listener = Frontend::listener(
      tokens, policy, health, {.clients = clients, .hosts = ListenerHosts::kLoopback});
};

constexpr std::string_view kToken = "/v1/token?community_member_id=1";

TEST_F(ListenerTest, P11TheUserBehindTheSocketCountsForNothing) {
  const auto client = connect();
  ask(*client, kToken, "");
  const ReceivedReply reply = next_reply(*client);
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.body,
            R"({"success":false,"code":"unauthorized",)"
            R"("message":"Your account could not be authenticated.","error_details":{}})");
  EXPECT_THAT(reply.head, HasSubstr("\r\nWWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(reply.head, HasSubstr("\r\nConnection: close\r\n"));
  wait_for_end(*client);
  EXPECT_THAT(observer.at_the_door, testing::ElementsAre(DoorRefusal::kNoBearer));
  EXPECT_TRUE(tokens.fetched.empty());
}

// nginx's auth_request makes a 500 of anything but 2xx, 401 and 403.
TEST_F(ListenerTest, AnAuthorizationIsRefusedWith401Or403) {
  const auto status_of = [this](const std::string& request) {
    const auto client = connect();
    client->send(request);
    const int status = next_reply(*client).status;
    wait_for_end(*client);
    return status;
  };
  const std::string long_query(kRequestHeadBytesMax, 'a');
  const std::string start = "GET /v1/authorization?community_member_id=1";
  const std::string host = " HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_EQ(status_of(start + "&refused=" + long_query + host + "\r\n"), 403);
  EXPECT_EQ(status_of(start + host + "X: " + long_query + "\r\n\r\n"), 403);
  EXPECT_EQ(status_of(start + host + "Content-Length: 4097\r\n\r\n"), 403);
  EXPECT_EQ(status_of(start + host + "Expect: x\r\n\r\n"), 403);
  EXPECT_EQ(status_of(start + host + "Transfer-Encoding: x\r\n\r\n"), 403);
  EXPECT_EQ(status_of(start + host + "Transfer-Encoding: chunked\r\n\r\nx\r\n"), 403);
  EXPECT_EQ(status_of(start + host + "Origin: http://a\r\n\r\n"), 403);
  EXPECT_EQ(status_of(start + host + "\r\n"), 401) << "without a bearer";
  EXPECT_EQ(status_of("GET /v1/authorizations?" + long_query + host + "\r\n"), 431);
}

TEST_F(ListenerTest, P11AStrangerIsTurnedAwayBeforeItsBody) {
  const auto send_head = [](const Client& client, const std::string& fields) {
    client.send("POST /api/v1/headless/auth_token HTTP/1.1\r\nHost: localhost\r\n" + fields +
                "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  };
  for (const std::string& fields : {std::string(), bearer("web-3")}) {
    const auto stranger = connect();
    send_head(*stranger, fields);
    EXPECT_EQ(next_reply(*stranger).status, 401);
    wait_for_end(*stranger);
  }
  const auto web = connect();
  send_head(*web, bearer("web-1"));
  run_until([&] {
    web->receive();
    return !web->received().empty() || web->ended();
  });
  EXPECT_THAT(web->received(), testing::StartsWith("HTTP/1.1 100 Continue\r\n"));
}

TEST_F(ListenerTest, P11AClientGetsWhatIsGrantedToItsName) {
  const auto web = connect();
  for (const char* token : {"web-1", "web-2", "web-1"}) {
    ask(*web, kToken, bearer(token));
    const ReceivedReply reply = next_reply(*web);
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.body, HasSubstr("\"one\""));
  }
  const auto shop = connect();
  ask(*shop, kToken, bearer("shop-1"));
  EXPECT_EQ(next_reply(*shop).status, 403);
  const auto stranger = connect();
  ask(*stranger, kToken, bearer("web-3"));
  EXPECT_EQ(next_reply(*stranger).status, 401);
  wait_for_end(*stranger);
  EXPECT_THAT(observer.at_the_door, testing::ElementsAre(DoorRefusal::kUnknownBearer));
}

// A proxy may use one connection for several clients.
TEST_F(ListenerTest, P11EachRequestIsThatOfTheTokenThatItShows) {
  const auto client = connect();
  ask(*client, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*client).status, 200);
  ask(*client, kToken, bearer("shop-1"));
  EXPECT_EQ(next_reply(*client).status, 403);
  ask(*client, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*client).status, 200);
  ask(*client, kToken, "");
  EXPECT_EQ(next_reply(*client).status, 401);
  wait_for_end(*client);
}

TEST_F(ListenerTest, P11NoReplyUnderWayGoesToAnotherClient) {
  tokens.publish(2, "stale", Duration{0});
  const auto client = connect();
  ask(*client, "/v1/token?community_member_id=2", bearer("web-1"));
  ask(*client, kToken, bearer("shop-1"));
  wait_for_waits(1);
  tokens.publish(2, "fresh", std::chrono::hours{1});
  tokens.finish_all({.result = WaitResult::kServe, .retry_after = {}});
  EXPECT_EQ(next_reply(*client).status, 200);
  EXPECT_EQ(next_reply(*client).status, 401);
  wait_for_end(*client);
}

TEST_F(ListenerTest, P11BrowsersAndReboundNamesGet403WhateverTheyShow) {
  for (const char* fields :
       {"Host: localhost\r\nOrigin: https://evil.example\r\n", "Host: evil.example:8465\r\n",
        "Host: localhost\r\nOrigin: null\r\n"}) {
    const auto client = connect();
    client->send("GET " + std::string(kToken) + " HTTP/1.1\r\n" + fields + bearer("web-1") +
                 "\r\n");
    EXPECT_EQ(next_reply(*client).status, 403) << fields;
    wait_for_end(*client);
  }
  const auto absolute = connect();
  absolute->send("GET http://evil.example" + std::string(kToken) +
                 " HTTP/1.1\r\nHost: localhost\r\n" + bearer("web-1") + "\r\n");
  EXPECT_EQ(next_reply(*absolute).status, 403) << "the target's host counts";
  EXPECT_THAT(observer.at_the_door, Each(DoorRefusal::kForeign));
  EXPECT_EQ(observer.at_the_door.size(), 4U);
}

TEST_F(ListenerTest, HealthIsForEverybody) {
  const auto client = connect();
  ask(*client, "/healthz", "");
  ask(*client, "/healthz", "");
  EXPECT_EQ(next_reply(*client).status, 200);
  EXPECT_EQ(next_reply(*client).status, 200);
  ask(*client, "/readyz", "");
  EXPECT_EQ(next_reply(*client).status, 401);
}

TEST_F(ListenerTest, P11ATokenThatIsWithdrawnEndsOpenConnections) {
  const auto kept = connect();
  const auto cut = connect();
  const auto watch = connect();
  ask(*kept, kToken, bearer("web-2"));
  ask(*cut, kToken, bearer("web-1"));
  ask(*watch, "/v1/watch", bearer("web-1"));
  EXPECT_EQ(next_reply(*kept).status, 200);
  EXPECT_EQ(next_reply(*cut).status, 200);
  run_until([&] {
    watch->receive();
    return watch->received().contains("event: token");
  });
  clients = BearerClients({{.name = "web", .tokens = {digest_of("web-2")}}});
  server->clients_changed();
  wait_for_end(*cut);
  wait_for_end(*watch);
  ask(*kept, kToken, bearer("web-2"));
  EXPECT_EQ(next_reply(*kept).status, 200);
}

TEST_F(ListenerTest, P11WhoIsNotKnownHasALimitOfItsOwn) {
  listen_again({.max_connections = 8, .max_connections_unknown = 2, .times = {}});
  const auto known = connect();
  ask(*known, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*known).status, 200);
  const auto first = connect();
  const auto second = connect();
  settle();
  EXPECT_EQ(server->connections(), 3U);
  const auto third = connect();  // takes the place of the one that has been silent for the longest
  wait_for_end(*first);
  EXPECT_EQ(server->connections(), 3U);
  ask(*third, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*third).status, 200);
  ask(*known, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*known).status, 200) << "strangers cost it nothing";
}

TEST_F(ListenerTest, P11AClientHasTheLimitOfAUser) {
  listen_again({.max_connections = 8, .max_connections_per_uid = 2, .times = {}});
  const auto first = connect();
  const auto second = connect();
  const auto other = connect();
  ask(*first, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*first).status, 200);
  ask(*second, kToken, bearer("web-2"));
  EXPECT_EQ(next_reply(*second).status, 200);
  ask(*other, kToken, bearer("shop-1"));
  EXPECT_EQ(next_reply(*other).status, 403) << "another client is not counted";
  const auto third = connect();
  ask(*third, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*third).status, 200);
  wait_for_end(*first);  // its idlest one made way
  EXPECT_EQ(server->connections(), 3U);
}

TEST_F(ListenerTest, P11WhoSaysNothingIsSoonLetGo) {
  const auto silent = connect();
  const auto known = connect();
  ask(*known, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*known).status, 200);
  settle();
  clock.advance(std::chrono::seconds{6});
  server->sweep();
  wait_for_end(*silent);
  ask(*known, kToken, bearer("web-1"));
  EXPECT_EQ(next_reply(*known).status, 200);
}

}  // namespace
}  // namespace rota
