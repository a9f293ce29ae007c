// GET /v1/token beside Redis GET of the same bytes, each over its Unix socket: 50 connections that
// ask again as soon as they have their answer, from one thread. Redis keeps nothing on disk. Each
// round measures one after the other, and the median of the rounds' ratios counts. The processor
// time is that of the server alone.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/closed_load.h"
#include "e2e/box.h"

namespace rota::bench {
namespace {

constexpr std::size_t kConnections = 50;
constexpr int kRounds = 5;
constexpr std::chrono::milliseconds kPhase{2'000};

int run() {
  e2e::Box box({"--access-ttl", "60m", "--refresh-ttl", "20h"});
  box.daemon.log_level = "info";
  if (!box.daemon.start()) return 1;
  std::string body;
  const bool has_token = e2e::eventually([&] {
    const e2e::Reply reply = box.daemon.fetch("community_member_id=1");
    body = reply.body;
    return reply.status == 200;
  });
  if (!has_token) return 1;
  const std::string redis_path = (box.folder.path() / "redis.sock").string();
  const e2e::Process redis_server({"/usr/bin/redis-server", "--port", "0", "--unixsocket",
                                   redis_path, "--save", "", "--appendonly", "no"},
                                  box.folder.path() / "redis.log");
  const Target rota{.path = box.daemon.token_socket().string(),
                    .pid = box.daemon.process().pid(),
                    .request = e2e::get("/v1/token?community_member_id=1"),
                    .last = '}'};
  const Target redis{.path = redis_path,
                     .pid = redis_server.pid(),
                     .request = "*2\r\n$3\r\nGET\r\n$1\r\nt\r\n",
                     .last = '\n'};
  int fd = -1;
  if (!e2e::eventually([&] { return (fd = connect_to(redis_path)) >= 0; })) return 1;
  ask(fd, fmt::format("*3\r\n$3\r\nSET\r\n$1\r\nt\r\n${}\r\n{}\r\n", body.size(), body));
  std::array<char, 16> stored;
  ROTA_CHECK(::recv(fd, stored.data(), stored.size(), 0) > 0 && stored[0] == '+');
  ::close(fd);

  std::vector<double> throughput, processor;
  for (int round = 0; round < kRounds; ++round) {
    const Figures ours = measure(rota, kConnections, kPhase);
    const Figures theirs = measure(redis, kConnections, kPhase);
    fmt::print("rota {:>7.0f}/s {:>5.2f} us   redis {:>7.0f}/s {:>5.2f} us\n", ours.per_second,
               ours.microseconds, theirs.per_second, theirs.microseconds);
    throughput.push_back(ours.per_second / theirs.per_second);
    processor.push_back(ours.microseconds / theirs.microseconds);
  }
  fmt::print("{} bytes: {:.2f} of its throughput, {:.2f} of its processor time\n", body.size(),
             median(throughput), median(processor));
  return 0;
}

}  // namespace
}  // namespace rota::bench

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int code = rota::bench::run();
  return ::testing::Test::HasFailure() ? 1 : code;
}
