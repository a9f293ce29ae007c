#include "bench/fetch_load.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace rota::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kReplyMax{20};

[[noreturn]] void give_up(std::string_view why) {
  std::fprintf(stderr, "bench: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

int connect_to(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("cannot connect");
  }
  return fd;
}

// The bytes of the first reply, 0 while it is not whole.
std::size_t reply_bytes(std::string_view received) {
  constexpr std::string_view kLength = "Content-Length: ";
  const auto end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!received.starts_with("HTTP/1.1 200 ")) give_up(received.substr(0, end));
  const auto length = received.find(kLength);
  const std::size_t whole =
      end + 4 + std::strtoul(received.data() + length + kLength.size(), nullptr, 10);
  return received.size() < whole ? 0 : whole;
}

}  // namespace

Nanoseconds Latencies::at(double fraction) const {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted.at(static_cast<std::size_t>(fraction * last));
}

FetchLoad::FetchLoad(const std::string& socket_path, std::size_t connections,
                     double fetches_per_second, std::string_view query)
    : FetchLoad(
          socket_path, connections, fetches_per_second,
          std::vector{"GET /v1/token?" + std::string(query) + " HTTP/1.1\r\nHost: rota\r\n\r\n"}) {}

FetchLoad::FetchLoad(const std::string& socket_path, std::size_t connections,
                     double requests_per_second, std::vector<std::string> requests)
    : clients_(connections),
      requests_(std::move(requests)),
      every_(static_cast<Nanoseconds::rep>(1e9 / requests_per_second)) {
  for (Client& client : clients_) client.fd = connect_to(socket_path);
}

FetchLoad::~FetchLoad() {
  for (const Client& client : clients_) ::close(client.fd);
}

Latencies FetchLoad::run(std::chrono::milliseconds length) {
  std::vector<pollfd> readable;
  for (const Client& client : clients_) {
    readable.push_back({.fd = client.fd, .events = POLLIN, .revents = 0});
  }
  const auto start = SteadyClock::now();
  auto due = start;
  for (std::size_t next = 0;;) {
    const auto now = SteadyClock::now();
    const bool over = due >= start + length;
    const bool waiting =
        std::ranges::any_of(clients_, [](const Client& c) { return !c.due.empty(); });
    if (over && !waiting) break;
    if (now > start + length + kReplyMax) give_up("a reply does not come");
    if (!over && due <= now) {
      fetch(clients_[next++ % clients_.size()], due);
      due += every_;
      continue;
    }
    const auto rest = over ? Nanoseconds{kReplyMax} : Nanoseconds{due - now};
    const timespec limit{.tv_sec = rest.count() / 1'000'000'000,
                         .tv_nsec = rest.count() % 1'000'000'000};
    ::ppoll(readable.data(), readable.size(), &limit, nullptr);
    for (std::size_t i = 0; i < readable.size(); ++i) {
      if (readable[i].revents != 0) receive(clients_[i]);
    }
  }
  std::ranges::sort(times_);
  return {.sorted = std::exchange(times_, {})};
}

void FetchLoad::fetch(Client& client, SteadyClock::time_point due) {
  const std::string& request = requests_[next_request_++ % requests_.size()];
  if (::send(client.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    give_up("the daemon has closed a good connection");
  }
  client.due.push_back(due);
}

void FetchLoad::receive(Client& client) {
  std::array<char, 16 * 1024> bytes;
  const ssize_t count = ::recv(client.fd, bytes.data(), bytes.size(), 0);
  if (count <= 0) give_up("the daemon has closed a good connection");
  client.received.append(bytes.data(), static_cast<std::size_t>(count));
  while (const std::size_t whole = reply_bytes(client.received)) {
    client.received.erase(0, whole);
    times_.push_back(SteadyClock::now() - client.due.front());
    client.due.pop_front();
  }
}

}  // namespace rota::bench
