#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
