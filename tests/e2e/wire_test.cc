#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "e2e/box.h"

// What clients can do to the socket, and that it costs nobody else anything (P11).

namespace rota::e2e {
namespace {

class Wire : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.daemon.start());
    for (const char* id : {"1", "2", "3"}) {  // 2 and 3 are known by their ids once they are issued
      const std::string query = std::string("community_member_id=") + id;
      ASSERT_TRUE(eventually([&] { return !box.daemon.token(query).empty(); }));
    }
  }
  Connection connect() const { return Connection::to_unix(box.daemon.token_socket()); }
  Box box{{"--access-ttl", "60s", "--refresh-ttl", "10m"}};
};

TEST_F(Wire, P11PipelinedRequestsAreAnsweredInOrder) {
  std::string requests;
  for (int i = 0; i < 64; ++i) {
    requests +=
        get(i % 2 == 0 ? "/healthz" : fmt::format("/v1/token?community_member_id={}", 1 + i % 3));
  }
  Connection connection = connect();
  connection.send(requests);
  connection.finish_sending();
  for (int i = 0; i < 64; ++i) {
    const Reply reply = connection.read_reply();
    EXPECT_EQ(reply.status, 200) << i;
    EXPECT_EQ(reply.body == R"({"status":"ok"})", i % 2 == 0) << i;
    if (i % 2 == 1) EXPECT_EQ(reply.json().at("community_member_id").as_int64(), 1 + i % 3);
  }
  EXPECT_TRUE(connection.at_end());
}

// A client of HTTP takes what follows the head of such a reply for the next reply.
TEST_F(Wire, AHeadIsAGetWithoutItsBodyOnEverySocket) {
  for (const auto& [socket, target] :
       {std::pair(box.daemon.token_socket(), "/v1/token?community_member_id=1"),
        std::pair(box.daemon.token_socket(), "/readyz"),
        std::pair(box.daemon.token_socket(), "/nowhere"),
        std::pair(box.daemon.admin_socket(), "/v1/status"),
        std::pair(box.daemon.admin_socket(), "/metrics"),
        std::pair(box.daemon.admin_socket(), "/v1/members/id:1"),
        std::pair(box.daemon.admin_socket(), "/v1/roster/reload")}) {
    Connection connection = Connection::to_unix(socket);
    connection.send(get(target));
    const int status = connection.read_reply().status;
    connection.send(fmt::format("HEAD {} HTTP/1.1\r\nHost: x\r\n\r\n", target) + get("/healthz"));
    const std::string head = connection.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with(fmt::format("HTTP/1.1 {} ", status))) << target << head;
    EXPECT_THAT(head, ::testing::ContainsRegex("Content-Length: [1-9]"));
    EXPECT_EQ(connection.read_reply().body, R"({"status":"ok"})") << target;
  }
  Connection watch = connect();
  watch.send("HEAD /v1/watch HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(watch.read_until("\r\n\r\n"), ::testing::HasSubstr("X-Accel-Buffering: no"));
  EXPECT_TRUE(watch.at_end());
}

TEST_F(Wire, WhatHttpAsksOfAServerIsThere) {
  Connection connection = connect();
  // An absolute target, as through a proxy; an empty line before it; an ampersand too many.
  connection.send(
      "\r\nGET http://rota.example:80/v1/token?community_member_id=1& HTTP/1.1\r\n"
      "Host: x\r\n\r\n");
  EXPECT_EQ(connection.read_reply().status, 200);
  connection.send(
      "POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue");
  connection.send("{}");
  EXPECT_EQ(connection.read_reply().status, 405);
  connection.send(get("/v1/token?sso_user_id=J\xc3\xb6rg"));
  EXPECT_EQ(connection.read_reply().text("code"), "member_unknown");
  connection.send(get("/v1/token?sso_id=1"));
  const Reply hint = connection.read_reply();
  EXPECT_EQ(hint.status, 400);
  EXPECT_THAT(hint.text("message"), ::testing::HasSubstr("sso_user_id"));
  connection.send("GET / HTTP/1.1\r\nHost: x\r\nExpect: the-unexpected\r\n\r\n");
  EXPECT_EQ(connection.read_reply().status, 417);
  EXPECT_TRUE(connection.at_end());
}

TEST_F(Wire, P11AClientThatHangsUpHalfWayLeavesNothingBehind) {
  // A member that is new while Circle does not answer: who asks for it has to wait.
  box.sandbox.faults(R"(["any:hang:1"])");
  box.daemon.write_roster(std::string(kThreeMembers) + "[[member]]\ncommunity_member_id = 4\n");
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  const auto waiting = [&] {
    return box.daemon.admin(get("/v1/status")).json().at("waiting_clients").as_int64();
  };
  {
    Connection gone = connect();
    gone.send(get("/v1/token?community_member_id=4&wait=60s"));
    Connection half = connect();
    half.send("GET /v1/token?community_mem");
    ASSERT_TRUE(eventually([&] { return waiting() == 1; }));
    EXPECT_FALSE(box.daemon.token("community_member_id=1").empty());
  }
  EXPECT_TRUE(eventually([&] { return waiting() == 0; }));
  EXPECT_EQ(box.daemon.fetch("community_member_id=1").status, 200);
}

TEST_F(Wire, P11TheAdminRoutesAreNotOnTheTokenSocket) {
  for (const char* target : {"/v1/status", "/v1/members", "/v1/roster/plan"}) {
    Connection connection = connect();
    connection.send(get(target));
    EXPECT_EQ(connection.read_reply().text("code"), "not_found") << target;
  }
}

}  // namespace
}  // namespace rota::e2e
