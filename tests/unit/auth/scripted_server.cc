#include "tests/unit/auth/scripted_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace rota {
namespace {

constexpr int kWaitMilliseconds = 20'000;

bool wait_readable(int socket, int milliseconds) {
  pollfd entry{socket, POLLIN, 0};
  return poll(&entry, 1, milliseconds) == 1;
}

std::pair<int, std::uint16_t> listen_on_free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ROTA_CHECK(bind(listener, generic, size) == 0);
  ROTA_CHECK(listen(listener, 64) == 0);
  ROTA_CHECK(getsockname(listener, generic, &size) == 0);
  return {listener, ntohs(address.sin_port)};
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

WireConnection::WireConnection(WireConnection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), buffer_(std::move(other.buffer_)) {}

bool WireConnection::read_until(std::size_t size) {
  while (buffer_.size() < size) {
    std::array<char, 16 * 1024> piece;
    if (!wait_readable(socket_, kWaitMilliseconds)) return false;
    const ssize_t got = recv(socket_, piece.data(), piece.size(), 0);
    if (got <= 0) return false;
    buffer_.append(piece.data(), static_cast<std::size_t>(got));
  }
  return true;
}

std::optional<WireRequest> WireConnection::read_head() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_until(buffer_.size() + 1)) return std::nullopt;
  }
  WireRequest request;
  request.raw_head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  std::string_view rest = request.raw_head;
  bool first = true;
  while (!rest.empty()) {
    const std::string line(rest.substr(0, rest.find("\r\n")));
    rest.remove_prefix(line.size() + 2);
    if (std::exchange(first, false)) {
      request.method = line.substr(0, line.find(' '));
      request.target = line.substr(request.method.size() + 1);
      request.target.resize(request.target.find(' '));
      continue;
    }
    const std::size_t colon = line.find(": ");
    const auto [_, added] =
        request.headers.emplace(lower(line.substr(0, colon)), line.substr(colon + 2));
    ROTA_CHECK(added);  // a repeated header would go unseen by the tests
  }
  return request;
}

std::optional<WireRequest> WireConnection::read_request() {
  auto request = read_head();
  if (!request) return std::nullopt;
  const std::string& length = request->headers["content-length"];
  std::size_t size = 0;
  std::from_chars(length.data(), length.data() + length.size(), size);
  if (!read_until(size)) return std::nullopt;
  request->body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return request;
}

void WireConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the client gave up: what it saw is the test's to check
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string WireConnection::wait_for_close() {
  while (read_until(buffer_.size() + 1)) {
  }
  return std::exchange(buffer_, std::string());
}

void WireConnection::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void WireConnection::reset() {
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close();
}

ScriptedServer::ScriptedServer(Script script) {
  std::tie(listener_, port_) = listen_on_free_port();
  thread_ = std::thread([this, script = std::move(script)] { script(*this); });
}

ScriptedServer::~ScriptedServer() {
  finish();
  ::close(listener_);
}

std::string ScriptedServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

WireConnection ScriptedServer::accept() {
  ROTA_CHECK(wait_readable(listener_, kWaitMilliseconds));
  const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  ROTA_CHECK(socket >= 0);
  return WireConnection(socket);
}

void ScriptedServer::finish() {
  if (thread_.joinable()) thread_.join();
}

std::string ScriptedServer::unaccepted_bytes() {
  std::string bytes;
  while (wait_readable(listener_, 0)) bytes += accept().wait_for_close();
  return bytes;
}

std::string http_reply(int status, std::string_view body, std::string_view more_headers) {
  return fmt::format("HTTP/1.1 {} Words\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     more_headers, body);
}

std::uint16_t closed_port() {
  const auto [listener, port] = listen_on_free_port();
  ::close(listener);
  return port;
}

}  // namespace rota
