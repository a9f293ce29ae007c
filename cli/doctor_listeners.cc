#include "cli/doctor_listeners.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace rota::cli {
namespace {

constexpr std::size_t kHoldersShownMax = 5;
constexpr int kUnauthorized = 401;
constexpr timeval kAnswerTime{.tv_sec = 2, .tv_usec = 0};
// Not /healthz, which is open to all.
constexpr std::string_view kRequest =
    "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

std::string holder_of(const GrantSettings& grant) {
  switch (grant.holder) {
    case GrantSettings::Holder::kUser:
      return "user:" + grant.name;
    case GrantSettings::Holder::kGroup:
      return "group:" + grant.name;
    case GrantSettings::Holder::kClient:
      return "client:" + grant.name;
  }
  ROTA_CHECK(false);
}

template <class List>
bool have_one_in_common(const List& a, const List& b) {
  return std::ranges::any_of(
      a, [&b](const auto& each) { return std::ranges::find(b, each) != b.end(); });
}

bool share_members(const GrantSettings& a, const GrantSettings& b) {
  return a.all_members || b.all_members || have_one_in_common(a.tags, b.tags) ||
         have_one_in_common(a.members, b.members);
}

// An open socket that is connected to the listener; otherwise errno is set, and it is -1.
int connect_to(const ListenerSettings& listener) {
  sockaddr_storage address{};
  socklen_t size = 0;
  if (listener.address) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    const std::string& host = listener.address->host;
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(listener.address->port);
      size = sizeof v4;
    } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(listener.address->port);
      size = sizeof v6;
    }
  } else if (listener.path.size() < sizeof(sockaddr_un::sun_path)) {
    auto& unix_address = reinterpret_cast<sockaddr_un&>(address);
    unix_address.sun_family = AF_UNIX;
    std::memcpy(unix_address.sun_path, listener.path.data(), listener.path.size());
    size = sizeof unix_address;
  }
  if (size == 0) {
    errno = listener.address ? EINVAL : ENAMETOOLONG;
    return -1;
  }
  const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerTime, sizeof kAnswerTime);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kAnswerTime, sizeof kAnswerTime);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

// Of "HTTP/1.1 401 …"; 0 if it is none.
int status_of(std::string_view reply) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  if (!reply.starts_with(kVersion)) return 0;
  reply.remove_prefix(kVersion.size());
  int status = 0;
  std::from_chars(reply.data(), reply.data() + reply.size(), status);
  return status;
}

}  // namespace

std::optional<Finding> judge_sign_outs(const std::vector<GrantSettings>& grants) {
  std::vector<std::string> holders;
  for (const GrantSettings& grant : grants) {
    const std::string holder = holder_of(grant);
    if (!grant.may.has(Right::kSignOut) || std::ranges::find(holders, holder) != holders.end()) {
      continue;
    }
    const bool shares = std::ranges::any_of(grants, [&](const GrantSettings& other) {
      return other.may.has(Right::kFetch) && holder_of(other) != holder &&
             share_members(grant, other);
    });
    if (shares) holders.push_back(holder);
  }
  if (holders.empty()) return std::nullopt;
  std::string more;
  if (holders.size() > kHoldersShownMax) {
    more = fmt::format(" and {} more", holders.size() - kHoldersShownMax);
    holders.resize(kHoldersShownMax);
  }
  return note("grants",
              fmt::format("{}{} may sign out members whose tokens others fetch, too: a sign-out "
                          "signs out all apps of this machine",
                          fmt::join(holders, ", "), more),
              "take sign_out out of `may` where the app does not need it; a logout of one app only "
              "revokes its handle");
}

int try_to_connect(const std::string& path) {
  const int fd = connect_to({.address = std::nullopt, .path = path});
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

std::string place_of(const ListenerSettings& listener) {
  if (!listener.address) return listener.path;
  const std::string& host = listener.address->host;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", listener.address->port);
}

ListenerAnswer ask_without_bearer(const ListenerSettings& listener) {
  const int fd = connect_to(listener);
  if (fd < 0) return {.error = errno};
  ListenerAnswer answer;
  std::string reply(64, '\0');
  std::size_t got = 0;
  if (::send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0) {
    while (got < reply.size()) {
      const auto count = ::recv(fd, reply.data() + got, reply.size() - got, 0);
      if (count <= 0) break;
      got += static_cast<std::size_t>(count);
    }
  }
  ::close(fd);
  reply.resize(got);
  answer.status = status_of(reply);
  return answer;
}

Finding judge_listener(const std::string& place, const ListenerAnswer& answer) {
  const std::string about = "listener";
  if (answer.error == EACCES || answer.error == EPERM) {
    return note(about, fmt::format("this user may not open {}", place), "run as root");
  }
  if (answer.error != 0) {
    return wrong(about, fmt::format("nobody listens on {}: {}", place, std::strerror(answer.error)),
                 "a new [[listener]] needs a restart: systemctl restart rotad");
  }
  if (answer.status == 0) {
    return wrong(
        about, fmt::format("{} gives no answer in time", place),
        "journalctl -u rotad says what rotad does; if another program holds the port, stop "
        "it, or change the [[listener]]");
  }
  if (answer.status != kUnauthorized) {
    return wrong(about,
                 fmt::format("{} answers {} without a bearer token, so it is not rotad's listener",
                             place, answer.status),
                 "see which program holds it: ss -ltnp");
  }
  return good(about, fmt::format("{} listens, and answers 401 without a bearer token", place));
}

}  // namespace rota::cli
