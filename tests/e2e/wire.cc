#include "e2e/wire.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace rota::e2e {
namespace {

void bound_sends(int fd) {
  const timeval limit{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

}  // namespace

boost::json::object Reply::json() const {
  boost::system::error_code error;
  auto value = boost::json::parse(body, error);
  return !error && value.is_object() ? value.get_object() : boost::json::object{};
}

std::string Reply::text(std::string_view field) const {
  const auto object = json();
  const auto* value = object.if_contains(field);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string{};
}

Connection Connection::to_unix(const std::filesystem::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  bound_sends(fd);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return Connection(-1);
  }
  return Connection(fd);
}

Connection Connection::to_port(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bound_sends(fd);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return Connection(-1);
  }
  return Connection(fd);
}

Connection Connection::of(int fd) {
  bound_sends(fd);
  return Connection(fd);
}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), pending_(std::move(other.pending_)) {}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

void Connection::send(std::string_view bytes) const {
  while (fd_ >= 0 && !bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the peer refuses to hear more: its reply says why
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Connection::finish_sending() const { ::shutdown(fd_, SHUT_WR); }

bool Connection::more(Deadline deadline) {
  if (fd_ < 0) return false;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0) {
    return false;
  }
  std::array<char, 65'536> buffer{};
  const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
  // A peer that closes while bytes for it are on their way resets the connection.
  ended_ = got == 0 || (got < 0 && errno == ECONNRESET);
  if (got <= 0) return false;
  pending_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

Reply Connection::read_reply() {
  const Deadline deadline = std::chrono::steady_clock::now() + kReadMax;
  std::size_t end = 0;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!more(deadline)) return {};
  }
  Reply reply;
  reply.head = pending_.substr(0, end + 2);
  pending_.erase(0, end + 4);
  constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "
  reply.status = std::atoi(reply.head.c_str() + kStatusAt);
  const auto length_at = reply.head.find("Content-Length: ");
  const std::size_t length =
      length_at == std::string::npos
          ? 0
          : std::strtoul(reply.head.c_str() + length_at + std::strlen("Content-Length: "), nullptr,
                         10);
  while (pending_.size() < length && more(deadline)) {
  }
  reply.body = pending_.substr(0, length);
  pending_.erase(0, length);
  return reply;
}

std::string Connection::read_until(std::string_view end, std::chrono::milliseconds limit) {
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  std::size_t at = 0;
  while ((at = pending_.find(end)) == std::string::npos) {
    if (!more(deadline)) return std::exchange(pending_, {});
  }
  std::string text = pending_.substr(0, at);
  pending_.erase(0, at + end.size());
  return text;
}

bool Connection::at_end() {
  const Deadline deadline = std::chrono::steady_clock::now() + kReadMax;
  return pending_.empty() && !more(deadline) && ended_;
}

std::string get(std::string_view target) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: rota\r\n\r\n", target);
}

std::string post(std::string_view target, std::string_view body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: rota\r\nContent-Type: application/json\r\nContent-Length: "
      "{}\r\n\r\n{}",
      target, body.size(), body);
}

}  // namespace rota::e2e
