#include "bench/closed_load.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "base/check.h"

namespace rota::bench {

using Clock = std::chrono::steady_clock;

void ask(int fd, std::string_view request) {
  ROTA_CHECK(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(request.size()));
}

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

double processor_time(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string skipped;
  std::getline(file, skipped, ')');
  for (int field = 3; field < 14; ++field) file >> skipped;
  double user = 0, system = 0;
  file >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Figures measure(const Target& target, std::size_t connections, std::chrono::milliseconds length) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> clients;
  for (std::size_t i = 0; i < connections; ++i) {
    clients.push_back(connect_to(target.path));
    ROTA_CHECK(clients.back() >= 0);
    epoll_event event{.events = EPOLLIN, .data = {.fd = clients.back()}};
    ROTA_CHECK(::epoll_ctl(epoll, EPOLL_CTL_ADD, clients.back(), &event) == 0);
  }
  std::size_t answers = 0;
  std::vector<epoll_event> ready(connections);
  std::array<char, 16 * 1024> answer;
  const double processor = processor_time(target.pid);
  const auto start = Clock::now();
  for (const int fd : clients) ask(fd, target.request);
  auto now = start;
  for (; now < start + length; now = Clock::now()) {
    const int count = ::epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), 1'000);
    ROTA_CHECK(count > 0);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      const ssize_t bytes = ::recv(fd, answer.data(), answer.size(), 0);
      ROTA_CHECK(bytes > 0 && answer[static_cast<std::size_t>(bytes) - 1] == target.last);
      ++answers;
      ask(fd, target.request);
    }
  }
  const double spent = processor_time(target.pid) - processor;
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

}  // namespace rota::bench
