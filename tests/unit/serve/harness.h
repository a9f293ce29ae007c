#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/circle_logins.h"
#include "serve/server.h"
#include "unit/api/fakes.h"

namespace rota {

// A folder that is gone after the test.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "rota-serve-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    // A client of another user must be able to get at the socket.
    std::filesystem::permissions(path_, std::filesystem::perms{0755});
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline int connect_to(const std::string& path, int flags) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) return -1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

// What a client got: whole replies, cut apart.
struct ReceivedReply {
  int status = 0;
  std::string head;
  std::string body;
};

// The other end of a connection. Never blocks: the test's one thread also runs the server's loop.
class Client {
 public:
  explicit Client(const std::string& path) : Client(connect_to(path, SOCK_NONBLOCK)) {}
  // Takes over a connected socket.
  explicit Client(int fd) : fd_(fd) { EXPECT_GE(fd_, 0) << std::strerror(errno); }
  ~Client() { hang_up(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Returns how many bytes the kernel took.
  std::size_t send(std::string_view bytes) const {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }
  void get(std::string_view target) const {
    send("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  void half_close() const { ::shutdown(fd_, SHUT_WR); }
  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int fd() const { return fd_; }

  // Reads what is there.
  void receive() {
    char bytes[16 * 1024];
    const ssize_t count = ::recv(fd_, bytes, sizeof(bytes), 0);
    if (count > 0) received_.append(bytes, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno == ECONNRESET)) ended_ = true;
  }
  const std::string& received() const { return received_; }
  void drop(std::size_t bytes) { received_.erase(0, bytes); }
  bool ended() const { return ended_; }

  // Takes the next whole reply off what was received.
  std::optional<ReceivedReply> take_reply() {
    constexpr std::string_view kLength = "Content-Length: ";
    const auto end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    ReceivedReply reply{.status = 0, .head = received_.substr(0, end + 2), .body = {}};
    reply.status = std::atoi(reply.head.c_str() + std::strlen("HTTP/1.1 "));
    const auto at = reply.head.find(kLength);
    const bool has_body = at != std::string::npos;  // a 204 has none
    const auto length =
        has_body ? std::strtoul(reply.head.c_str() + at + kLength.size(), nullptr, 10) : 0;
    if (received_.size() < end + 4 + length) return std::nullopt;
    reply.body = received_.substr(end + 4, length);
    received_.erase(0, end + 4 + length);
    return reply;
  }

 private:
  int fd_;
  std::string received_;
  bool ended_ = false;
};

struct RecordingObserver : ServerObserver {
  void connection_refused(const PeerIdentity& peer, ConnectionLimit limit) override {
    refused.emplace_back(peer.uid, limit);
  }
  void request_refused(DoorRefusal why) override { at_the_door.push_back(why); }
  void request_erred(ErrorCode code) override { errors.push_back(code); }
  void accept_failed(std::error_code error) override { failures.push_back(error); }

  std::vector<std::pair<std::uint32_t, ConnectionLimit>> refused;
  std::vector<DoorRefusal> at_the_door;
  std::vector<ErrorCode> errors;
  std::vector<std::error_code> failures;
};

// A server on a socket in a folder of its own, with its loop in the hands of the test.
class ServeTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    auto listen = ListenSocket::bind(path(), 0666, std::nullopt);
    ASSERT_TRUE(listen) << listen.error().message;
    start_on(*std::move(listen), options);
  }
  void start_on(std::unique_ptr<ListenSocket> listen, ServerOptions options = {}) {
    auto made = Server::create(loop, std::move(listen), frontend, clock, observer, options);
    ASSERT_TRUE(made) << made.error().message;
    server = *std::move(made);
    server->start();
  }

  std::string path() const { return dir / "token.sock"; }
  std::unique_ptr<Client> connect() const { return std::make_unique<Client>(path()); }

  // Runs the loop until nothing is ready any more: what has not happened by then will not.
  void settle() {
    while (loop.poll() != 0) {
    }
    loop.restart();
  }
  // Runs the loop until the condition holds; the limit only ends a test that would hang.
  template <class Condition>
  void run_until(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "what was waited for never came";
      loop.run_one_for(std::chrono::milliseconds{100});
      loop.restart();
    }
  }
  ReceivedReply next_reply(Client& client) {
    std::optional<ReceivedReply> reply;
    run_until([&] {
      client.receive();
      reply = client.take_reply();
      return reply || client.ended();
    });
    return reply.value_or(ReceivedReply{});
  }
  void wait_for_end(Client& client) {
    run_until([&] {
      client.receive();
      return client.ended();
    });
  }
  void wait_for_waits(std::size_t count) {
    run_until([&] { return tokens.waiting() == count; });
  }
  // Asserts that the client has nothing to read and is still connected.
  void expect_silence(Client& client) {
    settle();
    client.receive();
    EXPECT_EQ(client.received(), "");
    EXPECT_FALSE(client.ended());
  }

  TempDir dir;
  boost::asio::io_context loop;
  FakeClock clock;
  FakeTokenService tokens{clock};
  FakeAdminService admin;
  FakeHealthService health;
  // Whoever runs the tests is root or counts as the daemon's user.
  AccessPolicy policy{::geteuid()};
  CircleLogins logins{clock, Secret(std::string(kHandleKeyBytes, 'k'))};
  Frontend frontend = Frontend::token_socket(tokens, policy, health, &logins);
  RecordingObserver observer;
  std::unique_ptr<Server> server;
};

}  // namespace rota
