#include "support/hostile_crowd.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace rota::testing {
namespace {

constexpr std::string_view kWhole =
    "GET /v1/token?community_member_id=1 HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kHeadStart = kWhole.substr(0, kWhole.size() - 2);
constexpr std::size_t kGarbageBytes = 200;
constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr int kRequestsAtOnce = 50;
constexpr int kLinesAtOnce = 20;

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

HostileCrowd::HostileCrowd(std::string socket_path, std::size_t clients)
    : socket_path_(std::move(socket_path)), clients_(clients), received_(kReceiveBytes) {
  for (std::size_t i = 0; i < clients; ++i) clients_[i].kind = static_cast<Kind>(i % kKinds);
}

HostileCrowd::~HostileCrowd() {
  for (Bad& bad : clients_) {
    if (bad.fd >= 0) ::close(bad.fd);
  }
}

void HostileCrowd::step() {
  for (Bad& bad : clients_) {
    if (bad.fd < 0) {
      if (bad.rest > 0) {
        --bad.rest;
      } else if (!connect(bad)) {
        bad.rest = kStepsUntilBack;  // the crowd has filled the backlog
      }
    } else if (hung_up(bad)) {
      leave(bad);
    } else {
      act(bad);
    }
  }
}

std::size_t HostileCrowd::connected() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(clients_, [](const Bad& bad) { return bad.fd >= 0; }));
}

bool HostileCrowd::connect(Bad& bad) const {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path_.data(), socket_path_.size());
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return false;
  }
  bad = {.kind = bad.kind, .fd = fd};
  return true;
}

void HostileCrowd::act(Bad& bad) {
  const unsigned step = bad.steps++;
  switch (bad.kind) {
    case Kind::kSilent:
      return;
    case Kind::kSlowDrip:
      return send(bad, step < kHeadStart.size() ? kHeadStart.substr(step, 1) : "x");
    case Kind::kEndlessHead:
      if (step == 0) return send(bad, kHeadStart);
      return send(bad, repeated("X-And-So-On: and so on\r\n", kLinesAtOnce));
    case Kind::kHalfClosed:
      if (step > 0) return;
      send(bad, bad.fd % 2 == 0 ? kWhole : kHeadStart.substr(0, kHeadStart.size() / 2));
      if (bad.fd >= 0) ::shutdown(bad.fd, SHUT_WR);
      return;
    case Kind::kGarbage:
      return send(bad, garbage(kGarbageBytes));
    case Kind::kNeverReading:
      return send(bad, repeated(std::string(kWhole) + "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
                                kRequestsAtOnce));
  }
}

// A client that never reads notices a hang-up only when it sends.
bool HostileCrowd::hung_up(const Bad& bad) {
  if (bad.kind == Kind::kNeverReading) return false;
  const ssize_t count = ::recv(bad.fd, received_.data(), received_.size(), 0);
  return count == 0 || (count < 0 && errno != EAGAIN);
}

void HostileCrowd::send(Bad& bad, std::string_view bytes) {
  const ssize_t count = ::send(bad.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) leave(bad);
}

void HostileCrowd::leave(Bad& bad) {
  ::close(std::exchange(bad.fd, -1));
  bad.rest = kStepsUntilBack;
  ++closings_;
}

std::string HostileCrowd::garbage(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    noise_ ^= noise_ << 13;  // xorshift: the same noise in every run
    noise_ ^= noise_ >> 7;
    noise_ ^= noise_ << 17;
    text.append(reinterpret_cast<const char*>(&noise_), sizeof noise_);
  }
  return text;
}

}  // namespace rota::testing
