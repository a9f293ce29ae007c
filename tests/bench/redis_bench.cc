// GET /v1/token beside Redis GET of the same bytes, each over its Unix socket: 50 connections that
// ask again as soon as they have their answer, from one thread. Redis keeps nothing on disk. Each
// round measures one after the other, and the median of the rounds' ratios counts. The processor
// time is that of the server alone.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "e2e/box.h"

namespace rota::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kConnections = 50;
constexpr int kRounds = 5;
constexpr std::chrono::milliseconds kPhase{2'000};

int connect_to(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ROTA_CHECK(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

void ask(int fd, std::string_view request) {
  ROTA_CHECK(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(request.size()));
}

// Of user and system, in seconds.
double processor_time(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string skipped;
  std::getline(file, skipped, ')');
  for (int field = 3; field < 14; ++field) file >> skipped;
  double user = 0, system = 0;
  file >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

struct Server {
  std::string path;
  pid_t pid = -1;
  std::string request;
  char last = '\0';  // of every answer, which comes in one piece
};

struct Figures {
  double per_second = 0;
  double microseconds = 0;  // of the server's processor time for each
};

Figures measure(const Server& server) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> clients;
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.push_back(connect_to(server.path));
    ROTA_CHECK(clients.back() >= 0);
    epoll_event event{.events = EPOLLIN, .data = {.fd = clients.back()}};
    ROTA_CHECK(::epoll_ctl(epoll, EPOLL_CTL_ADD, clients.back(), &event) == 0);
  }
  std::size_t answers = 0;
  std::array<epoll_event, kConnections> ready;
  std::array<char, 16 * 1024> answer;
  const double processor = processor_time(server.pid);
  const auto start = Clock::now();
  for (const int fd : clients) ask(fd, server.request);
  auto now = start;
  for (; now < start + kPhase; now = Clock::now()) {
    const int count = ::epoll_wait(epoll, ready.data(), ready.size(), 1'000);
    ROTA_CHECK(count > 0);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      const ssize_t bytes = ::recv(fd, answer.data(), answer.size(), 0);
      ROTA_CHECK(bytes > 0 && answer[static_cast<std::size_t>(bytes) - 1] == server.last);
      ++answers;
      ask(fd, server.request);
    }
  }
  const double spent = processor_time(server.pid) - processor;
  for (const int fd : clients) ::close(fd);
  ::close(epoll);
  const auto count = static_cast<double>(answers);
  return {.per_second = count / std::chrono::duration<double>(now - start).count(),
          .microseconds = spent * 1e6 / count};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

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
  const Server rota{.path = box.daemon.token_socket().string(),
                    .pid = box.daemon.process().pid(),
                    .request = e2e::get("/v1/token?community_member_id=1"),
                    .last = '}'};
  const Server redis{.path = redis_path,
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
    const Figures ours = measure(rota);
    const Figures theirs = measure(redis);
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
