#include "e2e/relay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "e2e/wire.h"

namespace rota::e2e {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

// Appends what has come. False at the end.
bool read_some(int fd, std::string& bytes) {
  std::array<char, 65'536> buffer{};
  const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  bytes.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

}  // namespace

Relay::Relay(std::filesystem::path path, std::filesystem::path upstream)
    : path_(std::move(path)), upstream_(std::move(upstream)) {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path_);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener_, 4), 0);
}

Relay::~Relay() {
  drain_queue();
  for (const Peer& peer : peers_) ::close(peer.fd);
  ::close(listener_);
}

void Relay::fill_queue() {
  for (const Peer& peer : std::exchange(peers_, {})) ::close(peer.fd);
  const sockaddr_un address = address_of(path_);
  for (;;) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      fillers_.push_back(fd);
      continue;
    }
    EXPECT_EQ(errno, EAGAIN);
    ::close(fd);
    return;
  }
}

void Relay::drain_queue() {
  for (const int fd : std::exchange(fillers_, {})) ::close(fd);
}

std::string Relay::ask(int client, std::string_view line, std::chrono::seconds limit) {
  const std::string bytes = line.empty() ? "" : std::string(line) + "\n";
  (void)::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::string answer;
  while (!answer.ends_with('\n')) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    // While the queue is to stay full, nobody is let in.
    std::vector<pollfd> wanted{{.fd = client, .events = POLLIN, .revents = 0}};
    wanted.push_back({.fd = fillers_.empty() ? listener_ : -1, .events = POLLIN, .revents = 0});
    for (const Peer& peer : peers_)
      wanted.push_back({.fd = peer.fd, .events = POLLIN, .revents = 0});
    if (left.count() <= 0 ||
        ::poll(wanted.data(), wanted.size(), static_cast<int>(left.count())) <= 0) {
      return answer;
    }
    if (wanted[0].revents != 0 && !read_some(client, answer)) return answer + "(its end)";
    std::size_t at = 2;
    for (auto peer = peers_.begin(); peer != peers_.end(); ++at) {
      if (wanted[at].revents == 0 || serve(*peer)) {
        ++peer;
      } else {
        ::close(peer->fd);
        peer = peers_.erase(peer);
      }
    }
    if (wanted[1].revents != 0) {
      peers_.push_back({.fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), .bytes = {}});
    }
  }
  answer.pop_back();
  return answer;
}

bool Relay::serve(Peer& peer) {
  if (!read_some(peer.fd, peer.bytes)) return false;
  const auto end = peer.bytes.find(kHeadEnd);
  if (end == std::string::npos) return true;
  const std::string head = peer.bytes.substr(0, end + kHeadEnd.size());
  peer.bytes.erase(0, head.size());
  const auto begin = head.find(' ') + 1;
  targets.push_back(head.substr(begin, head.find(' ', begin) - begin));

  std::string reply;
  if (instead.empty()) {
    Connection upstream = Connection::to_unix(upstream_);
    upstream.send(head);
    const Reply its = upstream.read_reply();
    reply = its.head + "\r\n" + its.body;
  } else {
    reply = instead.front();
    instead.pop_front();
  }
  (void)::send(peer.fd, reply.data(), reply.size(), MSG_NOSIGNAL);
  return !reply.empty() && !reply.contains("Connection: close") &&
         !head.contains("Connection: close");
}

}  // namespace rota::e2e
