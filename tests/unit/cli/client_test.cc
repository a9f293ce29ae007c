#include "cli/client.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A daemon that takes one connection, reads one request head and says `reply`, whatever was asked.
class OneReply {
 public:
  explicit OneReply(std::string reply)
      : path_(::testing::TempDir() + "rota_client_" + std::to_string(getpid()) + ".sock") {
    std::filesystem::remove(path_);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path_, address.sun_path);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    thread_ = std::thread([this, reply = std::move(reply)] { serve(reply); });
  }
  OneReply(const OneReply&) = delete;
  OneReply& operator=(const OneReply&) = delete;
  ~OneReply() {
    shutdown(listener_, SHUT_RDWR);  // wakes an accept that nobody came to
    if (thread_.joinable()) thread_.join();
    close(listener_);
    std::filesystem::remove(path_);
  }

  const std::string& path() const { return path_; }
  // What the client asked; only after its send() has returned.
  std::string asked() {
    thread_.join();
    return asked_;
  }

 private:
  void serve(const std::string& reply) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    while (!asked_.contains("\r\n\r\n")) {
      std::array<char, 4096> bytes{};
      const ssize_t got = read(client, bytes.data(), bytes.size());
      if (got <= 0) break;
      asked_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    for (std::size_t at = 0; at < reply.size();) {
      const ssize_t put = send(client, reply.data() + at, reply.size() - at, MSG_NOSIGNAL);
      if (put < 0) break;
      at += static_cast<std::size_t>(put);
    }
    // Until the client closes: what ends the wait is its own limit.
    std::array<char, 64> rest{};
    while (read(client, rest.data(), rest.size()) > 0) {
    }
    close(client);
  }

  const std::string path_;
  int listener_ = -1;
  std::string asked_;
  std::thread thread_;
};

Result<Reply> send_to(const std::string& path, const Request& request) {
  auto client = UnixClient::create(path);
  return (*client)->send(request);
}

std::string reply_of(std::string_view head, std::string_view body) {
  return "HTTP/1.1 " + std::string(head) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

TEST(UnixClient, GivesStatusAndBodyOfAnyReply) {
  OneReply server(reply_of("410 Gone", R"({"code":"member_retired"})"));
  const auto reply = send_to(server.path(), {Method::kGet, "/v1/token?email=a%40b"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 410);
  EXPECT_EQ(reply->body.reveal(), R"({"code":"member_retired"})");
  EXPECT_THAT(server.asked(), StartsWith("GET /v1/token?email=a%40b HTTP/1.1\r\n"));
}

TEST(UnixClient, PostsAnEmptyBodyAndLeavesThePathAsItIs) {
  OneReply server(reply_of("200 OK", "{}"));
  ASSERT_TRUE(send_to(server.path(), {Method::kPost, "/v1/members/sso%3A..%2Fx/../revoke"}));
  const std::string asked = server.asked();
  EXPECT_THAT(asked, StartsWith("POST /v1/members/sso%3A..%2Fx/../revoke HTTP/1.1\r\n"));
  EXPECT_THAT(asked, HasSubstr("Content-Length: 0\r\n"));
}

TEST(UnixClient, ReadsALongReplyWhole) {
  const std::string body(300'000, 'x');
  OneReply server(reply_of("200 OK", body));
  const auto reply = send_to(server.path(), {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body.reveal(), body);
}

TEST(UnixClient, GivesUpOnAReplyPastItsLimit) {
  OneReply server(reply_of("200 OK", std::string(kReplyBytesMax + 1, 'x')));
  const auto reply = send_to(server.path(), {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kFull);
}

TEST(UnixClient, GivesUpWhenTheTimeIsOver) {
  OneReply server("");
  const auto reply = send_to(server.path(), {Method::kGet, "/", Duration{50}});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kIo);
  EXPECT_THAT(reply.error().message, HasSubstr("no reply within 50ms"));
}

// Once a second would be twice in this time.
TEST(UnixClient, LooksAtOnceIfItsCallerWakesIt) {
  const OneReply server("");
  constexpr int kWakes = 100;
  const int wake = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
  int looked = 0;
  Request request{.method = Method::kGet, .target = "/", .timeout = Duration{1'500}, .wake = wake};
  request.while_waiting = [&] {
    eventfd_t value = 0;
    eventfd_read(wake, &value);
    if (++looked < kWakes) eventfd_write(wake, 1);
  };
  EXPECT_FALSE(send_to(server.path(), request));
  EXPECT_GE(looked, kWakes);
  close(wake);
}

TEST(UnixClient, GivesAStreamAsItComes) {
  OneReply server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  auto client = UnixClient::create(server.path());
  std::string came;
  const auto reply = (*client)->stream({Method::kGet, "/v1/watch", Duration{90'000}},
                                       [&](std::string_view bytes) -> Result<void> {
                                         came += bytes;
                                         return {};
                                       });
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(came, "hello");
}

TEST(UnixClient, AStreamEndsAtItsReadersError) {
  OneReply server("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
  auto client = UnixClient::create(server.path());
  const auto reply = (*client)->stream(
      {}, [](std::string_view) -> Result<void> { return fail(ErrorKind::kFull, "enough"); });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().message, "enough");
}

TEST(UnixClient, AStreamThatIsRefusedHasABody) {
  OneReply server(reply_of("403 Forbidden", "{}"));
  auto client = UnixClient::create(server.path());
  const auto reply = (*client)->stream({}, [](std::string_view) -> Result<void> {
    ADD_FAILURE() << "a refusal is no event";
    return {};
  });
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 403);
  EXPECT_EQ(reply->body.reveal(), "{}");
}

TEST(UnixClient, SaysInOneLineThatNobodyListens) {
  const auto reply = send_to("/nonexistent/rota.sock", {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kIo);
  EXPECT_THAT(reply.error().message, HasSubstr("/nonexistent/rota.sock"));
  EXPECT_THAT(reply.error().message, ::testing::Not(HasSubstr("\n")));
}

TEST(UnixClient, WhatIsNotHttpIsUnreachable) {
  OneReply server("SSH-2.0-nothing\r\n\r\n");
  const auto reply = send_to(server.path(), {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kIo);
}

char state_of(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(stat, line);
  const auto name_end = line.rfind(')');
  return name_end == std::string::npos ? '?' : line.at(name_end + 2);
}

// A full queue (EAGAIN) is no reason to give up.
TEST(UnixClient, WaitsForRoomInTheQueue) {
  const std::string path = ::testing::TempDir() + "rota_full_" + std::to_string(getpid()) + ".sock";
  std::filesystem::remove(path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(listener, name, sizeof address), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  std::vector<int> before;
  do {
    before.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  } while (connect(before.back(), name, sizeof address) == 0);
  ASSERT_EQ(errno, EAGAIN);

  std::atomic<pid_t> thread = 0;
  auto reply = std::async(std::launch::async, [&] {
    thread = gettid();
    return send_to(path, {.method = Method::kGet, .target = "/"});
  });
  const auto is_over = [&] {
    return reply.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
  };
  while (!is_over() && (thread == 0 || state_of(thread) != 'S')) std::this_thread::yield();
  ASSERT_FALSE(is_over()) << reply.get().error().message;
  const std::string answer = reply_of("200 OK", "{}");
  for (bool answered = false; !answered;) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ASSERT_GE(client, 0);
    std::array<char, 4096> bytes{};
    pollfd readable{.fd = client, .events = POLLIN, .revents = 0};
    // Those of before say nothing.
    for (const int fd : before) shutdown(fd, SHUT_RDWR);
    poll(&readable, 1, 20'000);
    if (read(client, bytes.data(), bytes.size()) > 0) {
      EXPECT_EQ(send(client, answer.data(), answer.size(), MSG_NOSIGNAL), std::ssize(answer));
      answered = true;
    }
    close(client);
  }
  const auto got = reply.get();
  EXPECT_TRUE(got) << got.error().message;
  for (const int fd : before) close(fd);
  close(listener);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace rota::cli
