#include <gmock/gmock.h>

#include <string>

#include "serve/server.h"
#include "unit/serve/harness.h"

// Until the first roster of a start is in force, what it may overturn is not refused.

namespace rota {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

constexpr std::string_view kToken1 = "/v1/token?community_member_id=1";
constexpr std::string_view kToken7 = "/v1/token?community_member_id=7";

class HoldTest : public ServeTest {
 protected:
  void SetUp() override {
    tokens.publish(1, "one", hours{1});
    frontend.set_refusals(Frontend::Refusals::kHeld);
    start();
  }
  void release(Frontend::Refusals refusals) {
    frontend.set_refusals(refusals);
    server->ask_again();
  }
};

TEST_F(HoldTest, TokensAreGivenAndRefusalsHeld) {
  tokens.publish(2, "two", hours{1});
  tokens.set_state(2, MemberState::kRetired);
  const auto unknown = connect();
  unknown->get(kToken1);
  unknown->get("/v1/token?wrong=1");
  unknown->get("/healthz");
  for (const int status : {200, 400, 200}) EXPECT_EQ(next_reply(*unknown).status, status);
  unknown->get(kToken7);
  unknown->get(kToken1);
  const auto retired = connect();
  retired->get("/v1/token?community_member_id=2&wait=0");
  expect_silence(*unknown);
  expect_silence(*retired);

  // The roster has a new member 7, and 2 has come back.
  tokens.publish(7, "seven", hours{1});
  tokens.set_state(2, MemberState::kActive);
  expect_silence(*unknown);
  release(Frontend::Refusals::kGiven);
  EXPECT_THAT(next_reply(*unknown).body, HasSubstr("seven"));
  EXPECT_THAT(next_reply(*unknown).body, HasSubstr("one"));
  EXPECT_THAT(next_reply(*retired).body, HasSubstr("two"));
}

TEST_F(HoldTest, WhatIsStillRefusedIsRefusedThen) {
  const auto client = connect();
  client->get(kToken7);
  expect_silence(*client);
  release(Frontend::Refusals::kGiven);
  EXPECT_EQ(next_reply(*client).status, 404);
  client->get(kToken7);
  EXPECT_EQ(next_reply(*client).status, 404);
}

// A grant by tag may come to cover the member by its new tags.
TEST_F(HoldTest, AMissingGrantIsHeldToo) {
  const PeerIdentity peer{.uid = 4'711, .gid = 4'711, .pid = 1, .groups = {}};
  RequestHead head;
  head.method = "GET";
  head.path = "/v1/token";
  head.query = "community_member_id=1";
  EXPECT_TRUE(std::holds_alternative<HoldReply>(frontend.answer(head, peer)));
  frontend.set_refusals(Frontend::Refusals::kGiven);
  const Answer given = frontend.answer(head, peer);
  ASSERT_TRUE(std::holds_alternative<ErrorReply>(given));
  EXPECT_EQ(std::get<ErrorReply>(given).code, ErrorCode::kForbidden);
}

TEST_F(HoldTest, AWatchBeginsWithTheRoster) {
  const auto client = connect();
  client->get("/v1/watch?community_member_id=7");
  expect_silence(*client);
  tokens.publish(7, "seven", hours{1});
  release(Frontend::Refusals::kGiven);
  run_until([&] {
    client->receive();
    return client->received().contains("event: ");
  });
  EXPECT_THAT(client->received(), HasSubstr("event: token"));
  EXPECT_THAT(client->received(), testing::Not(HasSubstr("event: retired")));
}

// `systemctl restart rotad && rota status --check` is about the daemon, not about this moment.
TEST_F(HoldTest, WhetherItIsReadyIsSaidThen) {
  health.ready = false;
  const auto client = connect();
  client->get("/readyz");
  expect_silence(*client);
  health.ready = true;
  release(Frontend::Refusals::kGiven);
  EXPECT_EQ(next_reply(*client).status, 200);
  health.ready = false;
  client->get("/readyz");
  EXPECT_EQ(next_reply(*client).status, 503);

  Frontend of_admin(tokens, policy, health, &admin);
  RequestHead head;
  head.method = "GET";
  head.path = "/v1/status";
  of_admin.set_refusals(Frontend::Refusals::kHeld);
  EXPECT_TRUE(std::holds_alternative<HoldReply>(of_admin.answer(head, {.uid = 0, .gid = 0})));
  of_admin.set_refusals(Frontend::Refusals::kGiven);
  EXPECT_TRUE(std::holds_alternative<JsonReply>(of_admin.answer(head, {.uid = 0, .gid = 0})));
}

TEST_F(HoldTest, WhoHangsUpMeanwhileIsForgotten) {
  const auto client = connect();
  client->get(kToken7);
  run_until([&] { return server->connections() == 1; });
  settle();
  client->hang_up();
  run_until([&] { return server->connections() == 0; });
}

// The next process will know; "no such member" might be wrong.
TEST_F(HoldTest, AStopPutsOffWhatIsHeld) {
  const auto client = connect();
  client->get(kToken7);
  client->get(kToken1);
  run_until([&] { return server->connections() == 1; });
  settle();
  bool done = false;
  server->shutdown({.farewell = hours{1}, .grace = hours{1}}, [&] { done = true; });
  release(Frontend::Refusals::kPutOff);
  const ReceivedReply put_off = next_reply(*client);
  EXPECT_EQ(put_off.status, 503);
  EXPECT_THAT(put_off.head, HasSubstr("Retry-After: 1\r\n"));
  const ReceivedReply last = next_reply(*client);
  EXPECT_EQ(last.status, 200);
  EXPECT_THAT(last.head, HasSubstr("Connection: close\r\n"));
  run_until([&] { return done; });
}

}  // namespace
}  // namespace rota
