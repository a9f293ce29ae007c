#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "e2e/box.h"
#include "support/hostile_crowd.h"
#include "support/http_oddities.h"
#include "support/metrics.h"

// Clients that mean no good, on the real socket (P11).

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kHostile = 300;
constexpr std::size_t kGood = 8;
constexpr int kRounds = 40;

bool is_epoll_set(const std::filesystem::path& descriptor) {
  std::error_code error;
  return std::filesystem::read_symlink(descriptor, error) == "anon_inode:[eventpoll]";
}

class Hostile : public ::testing::Test {
 protected:
  void start() {
    ASSERT_TRUE(box.daemon.start());
    ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  }
  Connection connect() const { return Connection::to_unix(box.daemon.token_socket()); }
  double metric(const std::string& sample) const {
    const auto metrics = testing::parse_metrics(box.daemon.admin(get("/metrics")).body);
    EXPECT_TRUE(metrics && metrics->contains(sample)) << sample;
    return metrics && metrics->contains(sample) ? metrics->at(sample) : -1;
  }
  // What stands behind such a request in the same bytes is not answered.
  void expect_refusal(const std::string& bytes, int status, std::string_view code) const {
    SCOPED_TRACE(bytes.substr(0, 200));
    Connection connection = connect();
    connection.send(bytes + get("/healthz"));
    const Reply reply = connection.read_reply();
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(reply.text("code"), code);
    EXPECT_THAT(reply.head, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_TRUE(connection.at_end());
  }
  // The good ones fetch again and again while the others do as they please.
  void fetch_beside_a_crowd();

  Box box{{"--access-ttl", "10m", "--refresh-ttl", "20m"}};
};

void Hostile::fetch_beside_a_crowd() {
  std::vector<Connection> good;
  for (std::size_t i = 0; i < kGood; ++i) good.push_back(connect());
  testing::HostileCrowd crowd(box.daemon.token_socket(), kHostile);
  for (int round = 0; round < kRounds; ++round) {
    crowd.step();
    for (const Connection& each : good) each.send(get("/v1/token?community_member_id=1"));
    for (Connection& each : good) {
      const Reply reply = each.read_reply();
      ASSERT_EQ(reply.status, 200) << "round " << round;
      ASSERT_FALSE(reply.text("access_token").empty());
    }
  }
  EXPECT_GT(crowd.closings(), 0U) << "the crowd did nothing";
}

TEST_F(Hostile, P11EachOddityGets400AndAClose) {
  start();
  for (const std::string& bytes : testing::http_oddities())
    expect_refusal(bytes, 400, "bad_request");
  for (const std::string& chunks : testing::chunk_oddities()) {
    const std::string head = testing::with_fields("Transfer-Encoding: chunked\r\n");
    expect_refusal(head + chunks, 400, "bad_request");
  }
}

TEST_F(Hostile, P11WhatIsTooLargeGets431AndAClose) {
  start();
  for (const std::string& bytes : testing::http_oversizes()) {
    expect_refusal(bytes, 431, "request_too_large");
  }
}

TEST_F(Hostile, P11ABodyIsNeverReadAsARequest) {
  start();
  const std::string inside = get("/v1/status") + get("/nowhere");
  Connection connection = Connection::to_unix(box.daemon.admin_socket());
  connection.send(post("/healthz", inside) + get("/healthz"));
  EXPECT_EQ(connection.read_reply().status, 405);
  EXPECT_EQ(connection.read_reply().body, R"({"status":"ok"})");
  connection.finish_sending();
  EXPECT_TRUE(connection.at_end());
}

TEST_F(Hostile, P11GoodClientsAreAnsweredWhereAllAreAdmitted) {
  box.daemon.serve = {{"max_connections", "1000"}, {"max_connections_per_uid", "1000"}};
  start();
  fetch_beside_a_crowd();
  EXPECT_EQ(metric(R"(rota_connections_refused_total{limit="uid"})"), 0);
}

TEST_F(Hostile, P11GoodClientsAreAnsweredWhereMostAreRefusedAndTheLogStaysShort) {
  box.daemon.serve = {{"max_connections_per_uid", "100"}};
  start();
  fetch_beside_a_crowd();
  EXPECT_GE(metric(R"(rota_connections_refused_total{limit="uid"})"), kHostile - 100);
  EXPECT_EQ(box.daemon.stop(), 0);
  const std::string log = box.daemon.process().output();
  std::size_t lines = 0;
  for (auto at = log.find(" refused"); at != std::string::npos; at = log.find(" refused", at + 1)) {
    ++lines;
  }
  EXPECT_EQ(lines, 2U) << "one for the first, one for all the others:\n" << log;
  EXPECT_THAT(log, HasSubstr("more connections refused since the last such message"));
}

// The kernel adds to a set that is part of another under a mutex that any user can keep busy.
TEST_F(Hostile, P11NoEpollSetIsPartOfAnother) {
  start();
  std::vector<Connection> open;
  for (int i = 0; i < 4; ++i) open.push_back(connect());
  for (Connection& each : open) {
    each.send(get("/v1/token?community_member_id=1"));
    EXPECT_EQ(each.read_reply().status, 200);
  }
  const std::filesystem::path process = fmt::format("/proc/{}", box.daemon.process().pid());
  std::size_t sets = 0;
  std::size_t members = 0;
  for (const auto& entry : std::filesystem::directory_iterator(process / "fd")) {
    if (!is_epoll_set(entry.path())) continue;
    ++sets;
    std::ifstream info(process / "fdinfo" / entry.path().filename());
    for (std::string word; info >> word;) {
      if (word != "tfd:") continue;
      std::string member;
      info >> member;
      ++members;
      EXPECT_FALSE(is_epoll_set(process / "fd" / member)) << "set " << entry.path().filename();
    }
  }
  EXPECT_GE(sets, 1U);
  EXPECT_GE(members, open.size());
}

}  // namespace
}  // namespace rota::e2e
